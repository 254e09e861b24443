/**
 * A snapshot and the events since are what a fresh snapshot would be, whatever happens on the line.
 *
 * A seeded run writes and deletes entities, breaks the line within snapshots and between events, restarts the log and
 * cuts its beginning, in one tab and in three that share a connection. At the end the mirror equals the server's entities.
 */

import { expect, it } from 'vitest'
import { EntityMirror } from './entities'
import type { Category } from './messages'
import { MonitorSession } from './session'
import { FakeBrowser, FakeEnvironment, generator } from './testing'

const URL = 'ws://shop/ws/monitor'
const RUNS = 150
const DISCONNECTS = 50
const KINDS: readonly Category[] = ['job', 'pattern', 'material']

async function run(seed: number, acrossTabs: boolean): Promise<void> {
  const browser = new FakeBrowser()
  const { server } = browser
  const random = generator(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T // items is never empty
  const versions = new Map<string, number>()
  const write = () => {
    const category = pick(KINDS)
    const id = `e${Math.floor(random() * 6)}`
    const key = `${category}/${id}`
    const version = (versions.get(key) ?? 0) + 1
    versions.set(key, version)
    const isThere = server.entities.has(key)
    const name = !isThere ? 'created' : random() < 0.3 ? 'deleted' : 'updated'
    server.append(`${category}:${name}`, { id, version, value: random() }, { key, version })
  }
  for (let n = 0; n < 10; n += 1) write()
  const tabs = Array.from({ length: acrossTabs ? 3 : 1 }, (_, index) => {
    const environment = new FakeEnvironment(browser)
    const mirror = new EntityMirror()
    const session = new MonitorSession({ environment, acrossTabs, maxAttempts: Infinity, wakes: true })
    const filters = index === 1 ? (['job'] as const) : KINDS
    session.subscribe(filters, mirror.apply, { snapshot: mirror.replace })
    void session.connect(URL).catch(() => undefined)
    return { environment, mirror, session, filters }
  })

  for (let cuts = 0; cuts < DISCONNECTS;) {
    const chance = random()
    if (chance < 0.25) {
      write()
    } else if (chance < 0.85) {
      server.connections.at(-1)?.step()
      pick(tabs).environment.page.step()
    } else if (chance < 0.95) {
      cuts += 1
      for (const connection of server.open) connection.cut()
      await browser.advance(Math.floor(random() * 2000))
    } else if (chance < 0.96) {
      server.forgetBefore(Math.max(server.oldest, server.head - 3))
    } else {
      server.heartbeat()
    }
    await Promise.resolve()
  }
  await browser.advance(60_000)

  for (const { mirror, filters, session } of tabs) {
    const wanted = [...server.entities].filter(([key]) => filters.some((name) => key.startsWith(`${name}/`)))
    expect(new Map(mirror.entries), `seed ${seed}`).toEqual(new Map(wanted))
    expect(session.freshness).toBe('live')
  }
}

it.each([
  ['one tab', false],
  ['three tabs', true],
])(
  `holds in ${RUNS} random runs with ${DISCONNECTS} disconnects: %s`,
  { timeout: 120_000 },
  async (_, acrossTabs) => {
    for (let seed = 1; seed <= RUNS; seed += 1) await run(seed, acrossTabs)
  },
)
