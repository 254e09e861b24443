/**
 * Whatever happens to the tabs of a browser and to their one connection, each handler sees exactly its filter of the log,
 * in order.
 *
 * A seeded run does random things: commits events, lets single frames, commands and notes between tabs arrive, breaks the
 * line, restarts, opens and kills tabs (the leader too), adds and removes handlers. At the end everything arrives.
 */

import { expect, it } from 'vitest'
import { CATEGORIES } from './filters'
import type { Category, MonitorEvent } from './messages'
import { MonitorSession } from './session'
import type { Gap } from './subscriptions'
import { FakeBrowser, FakeEnvironment, generator } from './testing'

const URL = 'ws://shop/ws/monitor'
const RUNS = 300
const STEPS = 150

class Tab {
  readonly environment: FakeEnvironment
  readonly session: MonitorSession
  readonly gaps: Gap[] = []
  readonly witnesses: Witness[] = []

  constructor(browser: FakeBrowser) {
    this.environment = new FakeEnvironment(browser)
    const onGap = (gap: Gap) => this.gaps.push(gap)
    this.session = new MonitorSession({
      environment: this.environment,
      acrossTabs: true,
      maxAttempts: Infinity,
      wakes: true,
      onGap,
    })
    this.witness([...CATEGORIES])
    void this.session.connect(URL).catch(() => undefined)
  }

  /** A handler that comes later starts where the others of its tab stand. */
  witness(filters: Category[]): void {
    const startsAfter = this.witnesses[0]?.seen.at(-1)?.offset ?? null
    this.witnesses.push(new Witness(this.session, filters, startsAfter))
  }
}

class Witness {
  readonly seen: MonitorEvent[] = []
  readonly stop: () => void
  isStopped = false

  constructor(
    session: MonitorSession,
    readonly filters: Category[],
    /** Offset from which on nothing may be missing; null where the tab did not know one yet. */
    public startsAfter: number | null,
  ) {
    this.stop = session.subscribe(filters, (event) => this.seen.push(event))
  }
}

async function run(seed: number): Promise<void> {
  const browser = new FakeBrowser()
  const { server } = browser
  const random = generator(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T // items is never empty
  let tabs = [new Tab(browser), new Tab(browser), new Tab(browser)]
  await browser.settle()
  for (const { witnesses } of tabs) for (const witness of witnesses) witness.startsAfter = 0
  expect(server.open, `seed ${seed}`).toHaveLength(1)

  for (let step = 0; step < STEPS; step += 1) {
    const chance = random()
    const tab = pick(tabs)
    const connection = pick(server.connections)
    if (chance < 0.3) {
      server.append(`${pick(CATEGORIES)}:updated`)
    } else if (chance < 0.5) {
      connection.stepFrame()
    } else if (chance < 0.58) {
      connection.stepCommand()
    } else if (chance < 0.6) {
      connection.repeat()
    } else if (chance < 0.78) {
      tab.environment.page.step()
    } else if (chance < 0.83) {
      tab.witness(CATEGORIES.filter(() => random() < 0.5))
    } else if (chance < 0.86) {
      const witness = pick(tab.witnesses)
      if (witness !== tab.witnesses[0] && !witness.isStopped) {
        witness.stop()
        witness.isStopped = true
      }
    } else if (chance < 0.89) {
      connection.cut()
    } else if (chance < 0.92) {
      if (tabs.length > 1) {
        tab.environment.close()
        tabs = tabs.filter((each) => each !== tab)
      }
    } else if (chance < 0.94) {
      if (tabs.length < 5) tabs.push(new Tab(browser))
    } else if (chance < 0.97) {
      server.heartbeat()
    } else {
      server.isUp = random() < 0.7
      if (!server.isUp) for (const each of server.open) each.cut()
      await browser.advance(Math.floor(random() * 2000))
    }
    await Promise.resolve()
  }

  server.isUp = true
  await browser.advance(60_000)
  server.heartbeat()
  await browser.settle()

  expect(server.open, `seed ${seed}`).toHaveLength(1)
  for (const tab of tabs) {
    expect(tab.session.freshness, `seed ${seed}`).toBe('live')
    expect(tab.gaps, `seed ${seed}`).toEqual([])
    for (const { filters, seen, startsAfter } of tab.witnesses.filter(({ isStopped }) => !isStopped)) {
      const got = seen.map(({ offset }) => offset)
      const wanted = server.log
        .filter(({ type }) => filters.some((filter) => type.startsWith(filter)))
        .map(({ offset }) => offset)
      const expected =
        startsAfter === null
          ? wanted.slice(wanted.length - got.length)
          : wanted.filter((offset) => offset > startsAfter)
      expect(got, `seed ${seed}, ${filters.join('+')} after ${startsAfter}`).toEqual(expected)
    }
  }
}

it(`holds in ${RUNS} random runs`, { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= RUNS; seed += 1) await run(seed)
})
