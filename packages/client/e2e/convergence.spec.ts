/**
 * However often the line breaks, what the app holds in the end is what the server tells a fresh client.
 *
 * While entities of every kind are made, changed and deleted over REST, the line is cut at random moments: sockets are reset,
 * the browser is put offline, the server is stopped and killed. In the end, entity by entity and field by field: the lists
 * of the app, and an `EntityMirror` (a snapshot, and the events since), equal the state that the server tells; and the
 * stream is its log, without a gap and without a duplicate.
 */

import type * as monitorCore from '@rmos/monitor-core'
import { generator } from '@rmos/monitor-core/testing'
import type { BrowserContext, Page } from '@playwright/test'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { build } from 'vite'
import { LivePage } from './livePage'
import { expect, test, type Shop } from './server'

test.use({ settings: { RMOS_METRICS_INTERVAL_S: '3600', RMOS_HEARTBEAT_S: '1' } })

const CUTS = 50
/** Another seed is another run; where one fails, its number is in the name of the test. */
const SEED = Number(process.env.RMOS_E2E_SEED ?? 1)
/** Few enough for the first page of a list, so that the app holds them all. */
const MOST_OF_A_KIND = 20

/** A line to the server that can be cut. */
class Line {
  /** Both ends of each connection. */
  readonly #sockets = new Set<Socket>()
  /** Those of monitors. */
  readonly #monitors = new Set<Socket>()
  readonly #server
  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      const ends = [near, far]
      for (const socket of ends) {
        this.#sockets.add(socket)
        socket.on('error', () => socket.destroy())
        socket.on('close', () => {
          this.#sockets.delete(socket)
          this.#monitors.delete(socket)
          for (const end of ends) end.destroy()
        })
      }
      near.once('data', (head) => {
        if (!head.toString('latin1').startsWith('GET /ws/monitor')) return
        for (const end of ends.filter(({ destroyed }) => !destroyed)) this.#monitors.add(end)
      })
      near.pipe(far).pipe(near)
    })
  }

  async open(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get hasMonitor(): boolean {
    return this.#monitors.size > 0
  }

  /** Break every connection as a pulled cable would. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

type Random = () => number
type Entities = Record<string, Record<string, unknown>>

const KINDS = ['patterns', 'joblogs', 'strip-families'] as const
type Kind = (typeof KINDS)[number]

/** Makes, changes and deletes entities of every kind, one after the other, until it is told to stop. */
class Writer {
  readonly #alive: Record<Kind, string[]> = { patterns: [], joblogs: [], 'strip-families': [] }
  #isStopped = false
  #count = 0

  constructor(
    private readonly shop: Shop,
    private readonly random: Random,
  ) {}

  async run(): Promise<void> {
    while (!this.#isStopped) {
      const kind = KINDS[Math.floor(this.random() * KINDS.length)] as Kind // the index is below the length
      // A server that is away answers nothing: what became of the write is for the server to tell in the end.
      await this.#write(kind).catch(() => (this.#alive[kind].length = 0))
      await new Promise((rested) => setTimeout(rested, this.random() * 60))
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  async #write(kind: Kind): Promise<void> {
    const alive = this.#alive[kind]
    const chance = this.random()
    const some = alive[Math.floor(this.random() * alive.length)]
    if (some === undefined || (chance < 0.25 && alive.length < MOST_OF_A_KIND)) {
      alive.push(await this.make(kind, `made ${++this.#count}`))
    } else if (chance < 0.4) {
      alive.splice(alive.indexOf(some), 1)
      await this.shop.remove(kind, some)
    } else {
      await this.change(kind, some)
    }
  }

  async make(kind: Kind, name: string): Promise<string> {
    if (kind === 'joblogs') return (await this.shop.createJob({ job_type: name })).id
    return (await this.shop[kind === 'patterns' ? 'createPattern' : 'createMaterial']({ name })).id
  }

  async change(kind: Kind, id: string): Promise<void> {
    const number = ++this.#count
    const fields = {
      patterns: { name: `changed ${number}`, metadata: { number } },
      joblogs: { machine_id: `cnc${number}`, note: `note ${number}`, parameters: { number } },
      'strip-families': { name: `changed ${number}`, min_stock_mm: number },
    }
    await this.shop.update(kind, id, fields[kind])
  }
}

/** Break the line in one of several ways, at a random moment of a connection. */
async function breakLine(line: Line, shop: Shop, context: BrowserContext, random: Random, cut: number) {
  await expect.poll(() => line.hasMonitor, { timeout: 60_000, intervals: [20] }).toBe(true)
  await new Promise((passed) => setTimeout(passed, random() * 300))
  if (cut % 17 === 16) {
    await shop.stop(random() < 0.5 ? 'SIGKILL' : 'SIGTERM')
    await shop.start()
  } else if (cut % 5 === 4) {
    await context.setOffline(true)
    line.cut()
    await new Promise((passed) => setTimeout(passed, random() * 300))
    await context.setOffline(false)
  } else {
    line.cut()
  }
}

interface Mirrored {
  mirror: monitorCore.EntityMirror
  session: monitorCore.MonitorSession
  losses: string[]
}

/** A page with an `EntityMirror` that follows the monitor by a connection of its own. */
async function openMirror(context: BrowserContext, address: string): Promise<Page> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      lib: {
        entry: resolve(import.meta.dirname, '../../monitor-core/src/index.ts'),
        formats: ['iife'],
        name: 'core',
      },
    },
  })
  if (!Array.isArray(built)) throw new Error('the client was built otherwise than asked for')
  const page = await context.newPage()
  await page.goto(`${address}/healthz`)
  await page.evaluate(`${built[0]?.output[0].code}; window.core = core`)
  await page.evaluate(() => {
    const { core } = window as unknown as { core: typeof monitorCore }
    const mirror = new core.EntityMirror()
    const losses: string[] = []
    const session = new core.MonitorSession({
      maxAttempts: Infinity,
      jitter: true,
      wakes: true,
      onGap: ({ reason }) => losses.push(reason),
      onError: ({ message }) => losses.push(message),
    })
    session.subscribe(undefined, mirror.apply, { snapshot: mirror.replace })
    Object.assign(window, { mirrored: { mirror, session, losses } })
    return session.connect(`ws://${location.host}/ws/monitor`)
  })
  return page
}

/** What the mirror holds by key, and what it was told to have lost. */
function mirrored(page: Page): Promise<{ entities: Entities; losses: string[] }> {
  return page.evaluate(() => {
    const { mirror, losses } = (window as unknown as { mirrored: Mirrored }).mirrored
    return { entities: Object.fromEntries(mirror.entries), losses }
  })
}

/** Wait until the mirror is the state of the server, while nobody writes. What it has missed, nothing can bring. */
async function isTheServers(mirror: Page, shop: Shop): Promise<Entities> {
  const state = await shop.state()
  expect(Object.keys(state).length).toBeGreaterThan(3)
  await expect.poll(() => mirrored(mirror), { timeout: 30_000 }).toEqual({ entities: state, losses: [] })
  return state
}

/** What the list of a page holds, by id: all fields, shown or not. */
function heldBy(page: Page, kind: Kind): Promise<Entities> {
  return page.evaluate((name) => {
    interface Query {
      queryKey: unknown[]
      state: { data?: { items: { id: string }[] } }
    }
    interface VueApp {
      _context: { provides: { VUE_QUERY_CLIENT: { getQueryCache(): { getAll(): Query[] } } } }
    }
    const { __vue_app__: app } = document.querySelector('#app') as unknown as { __vue_app__: VueApp }
    const queries = app._context.provides.VUE_QUERY_CLIENT.getQueryCache().getAll()
    const lists = queries.filter(({ queryKey }) => queryKey[0] === 'list' && queryKey[1] === name)
    if (lists.length !== 1) throw new Error(`${lists.length} lists of ${name}`)
    return Object.fromEntries((lists[0]?.state.data?.items ?? []).map((item) => [item.id, item]))
  }, kind)
}

const PAGES: Record<Kind, { path: string; category: string }> = {
  patterns: { path: '/patterns', category: 'pattern' },
  joblogs: { path: '/jobs', category: 'job' },
  'strip-families': { path: '/materials', category: 'material' },
}

test(`after ${CUTS} cuts the app holds what the server tells, and the stream is the log (seed ${SEED})`, async ({
  context,
  shop,
}) => {
  test.setTimeout(420_000)
  const random = generator(SEED)
  const line = new Line(Number(new URL(shop.url).port))
  const address = await line.open()
  const writer = new Writer(shop, generator(SEED + 1))
  try {
    const live = new LivePage(await context.newPage())
    await live.page.goto(`${address}/live`)
    await live.isLive()
    const lists = {} as Record<Kind, Page>
    for (const kind of KINDS) {
      lists[kind] = await context.newPage()
      await lists[kind].goto(`${address}${PAGES[kind].path}`)
      await expect(lists[kind].locator('[data-trust="live"]')).toBeVisible()
    }
    const mirror = await openMirror(context, address)

    const writing = writer.run()
    for (let cut = 0; cut < CUTS; cut += 1) await breakLine(line, shop, context, random, cut)
    await live.isLive()
    for (const kind of KINDS) {
      await expect(lists[kind].locator('[data-trust="live"]')).toBeVisible({ timeout: 30_000 })
    }
    writer.stop()
    await writing
    await isTheServers(mirror, shop)
    // From here on nothing but events can bring it: updates of rows that are there make no list ask the server again.
    for (const kind of KINDS) {
      for (const id of Object.keys(await heldBy(lists[kind], kind))) await writer.change(kind, id)
    }
    for (const kind of KINDS) await writer.make(kind, 'the last')

    for (const kind of KINDS) {
      await expect(lists[kind].getByRole('article').filter({ hasText: 'the last' })).toHaveCount(1)
    }
    await expect(live.row(/the last|Rope/).first()).toBeVisible()
    const log = await shop.log()
    await expect.poll(async () => (await live.shownIds()).at(-1)).toBe(log.at(-1)?.id)
    expect(await live.shownIds()).toEqual(log.map(({ id }) => id))
    await expect(live.monitor.getByText('missing here')).toHaveCount(0)

    const state = await isTheServers(mirror, shop)
    for (const kind of KINDS) {
      const ofKind = Object.entries(state).filter(([key]) => key.startsWith(`${PAGES[kind].category}/`))
      const fresh: Entities = Object.fromEntries(ofKind.map(([, entity]) => [String(entity.id), entity]))
      expect(await heldBy(lists[kind], kind), kind).toEqual(fresh)
    }
  } finally {
    writer.stop()
    line.close()
  }
})
