/**
 * Whatever happens on the line, each handler sees exactly its filter of the log, in order.
 *
 * A seeded run does random things: commits events, lets single frames and commands arrive, doubles frames, breaks the
 * line, restarts, adds and removes handlers on two sessions of one connection, lets sessions leave and return. At the
 * end the line is whole and everything arrives.
 */

import { expect, it } from 'vitest'
import { CATEGORIES } from './filters'
import type { Category, MonitorEvent } from './messages'
import { MonitorSession } from './session'
import type { Gap } from './subscriptions'
import { FakeEnvironment, generator } from './testing'

const URL = 'ws://shop/ws/monitor'
const RUNS = 400
const STEPS = 120

/** A handler, what it saw, and where in the log it started: where the connection stood when it came to it. */
class Witness {
  readonly seen: MonitorEvent[] = []
  startsAfter: number | null = null
  readonly stop: () => void
  stoppedAt: number | null = null

  constructor(
    readonly session: MonitorSession,
    readonly filters: Category[],
  ) {
    this.stop = session.subscribe(filters, (event) => this.seen.push(event))
  }
}

async function run(seed: number): Promise<void> {
  const environment = new FakeEnvironment()
  const { server } = environment
  const random = generator(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T // items is never empty
  const gaps: Gap[] = []
  const options = { environment, maxAttempts: Infinity, onGap: (gap: Gap) => gaps.push(gap) }
  const session = new MonitorSession(options)
  const other = new MonitorSession(options)

  // The steady one is there from the start, so the place of the connection is always known.
  const steady = new Witness(session, [...CATEGORIES])
  steady.startsAfter = 0
  const witnesses = [steady]
  const started = (of: MonitorSession) => {
    for (const witness of witnesses) if (witness.session === of) witness.startsAfter ??= place()
  }
  void session.connect(URL)
  await environment.settle()
  const place = () => steady.seen.at(-1)?.offset ?? 0
  const connectOther = () => {
    void other.connect(URL).catch(() => undefined)
    started(other)
  }

  for (let step = 0; step < STEPS; step += 1) {
    const chance = random()
    if (chance < 0.35) {
      server.append(`${pick(CATEGORIES)}:updated`)
    } else if (chance < 0.6) {
      server.connection.stepFrame()
    } else if (chance < 0.7) {
      server.connection.stepCommand()
    } else if (chance < 0.75) {
      server.connection.repeat()
    } else if (chance < 0.81) {
      const filters = CATEGORIES.filter(() => random() < 0.5)
      const owner = pick([session, other])
      witnesses.push(new Witness(owner, filters))
      if (owner.state.name !== 'idle') started(owner)
    } else if (chance < 0.85) {
      const witness = pick(witnesses)
      if (witness !== steady && witness.stoppedAt === null) {
        witness.stop()
        witness.stoppedAt = server.head
      }
    } else if (chance < 0.89) {
      server.connection.cut()
    } else if (chance < 0.93) {
      if (random() < 0.5) other.disconnect()
      else connectOther()
    } else if (chance < 0.96) {
      server.heartbeat()
    } else {
      server.isUp = random() < 0.7
      if (!server.isUp) server.connection.cut()
      await environment.advance(Math.floor(random() * 3000))
    }
    await Promise.resolve()
  }

  server.isUp = true
  connectOther()
  await environment.advance(60_000)
  server.heartbeat()
  await environment.settle()

  expect(gaps, `seed ${seed}`).toEqual([])
  for (const { filters, seen, startsAfter, stoppedAt } of witnesses) {
    const wanted = server.log
      .filter(
        ({ type, offset }) =>
          offset > (startsAfter ?? 0) && filters.some((filter) => type.startsWith(filter)),
      )
      .map(({ offset }) => offset)
    const got = seen.map(({ offset }) => offset)
    // Who left early saw the beginning of it; who stayed saw it all.
    const expected = stoppedAt === null ? wanted : wanted.slice(0, got.length)
    expect(got, `seed ${seed}, ${filters.join('+')} after ${startsAfter}`).toEqual(expected)
  }
}

it(`holds in ${RUNS} random runs`, { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= RUNS; seed += 1) await run(seed)
})
