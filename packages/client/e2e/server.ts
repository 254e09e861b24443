/**
 * A real server for each test: its own free port, its own empty data, the web app that was built.
 *
 * `test` is Playwright's with a `shop`, whose address pages open relative paths on. Stop and start it again on the same
 * data and port with `stop` and `start`. `test.use({ settings: … })` gives the server settings of its own.
 */

import { test as base, type APIRequestContext } from '@playwright/test'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Folder of the server's sources. */
export const SERVICE = resolve(import.meta.dirname, '../../../services/api')
const RMOS = process.env.RMOS_COMMAND ?? join(SERVICE, '.venv/bin/rmos')
/** A cold start on a busy machine takes seconds, not minutes. */
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const STORES = '/api/rmos/stores'
const LOG = '/api/rmos/monitor/events'
const STATE = '/api/rmos/monitor/state'

type Fields = Record<string, unknown>

/** An event as the log pages and the monitor tell it. */
export interface LoggedEvent {
  id: string
  offset: number
  type: string
  data: Fields
}

export class Shop {
  /** Address of the server, e.g. `http://127.0.0.1:41234`; known once it has started. */
  url = ''
  /** The key that the server prints at its very first start, where people have to log in. */
  adminToken = ''
  /** The address with a one-use code, printed at each start where people have to log in. */
  loginLink = ''
  #process: ChildProcess | null = null
  #port = 0

  /** `settings`: environment variables of the server. */
  constructor(
    private readonly data: string,
    private readonly request: APIRequestContext,
    private readonly settings: Readonly<Record<string, string>> = {},
  ) {}

  /** Start on the data of before and, after the first time, on the port of before. */
  async start(): Promise<void> {
    await this.#start(this.#port)
    this.#port = Number(new URL(this.url).port)
  }

  /** Start on the data of before and on a port where no page looks for it; the next `start` is on the old one again. */
  async startElsewhere(): Promise<void> {
    await this.#start(0)
  }

  async #start(port: number): Promise<void> {
    const child = spawn(RMOS, ['serve', '--host', '127.0.0.1', '--port', String(port), '--data', this.data], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.settings },
    })
    this.#process = child
    const introduced = this.settings.RMOS_AUTH === 'required' ? this.#hearIntroduction(child) : null
    this.url = await readyAddress(child)
    await introduced
  }

  /** The lines that let somebody in. Ends with the output, whether they came or not. */
  #hearIntroduction(child: ChildProcess): Promise<void> {
    return new Promise((heard) => {
      let said = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        this.adminToken = /^Admin token, .*: (rmos_\S+)\n/m.exec(said)?.[1] ?? this.adminToken
        const link = /^Open (\S+#login=\S+)\n/m.exec(said)?.[1]
        if (!link) return
        this.loginLink = link
        heard()
      })
      child.once('exit', () => heard())
    })
  }

  /** End it and wait until it is gone. `SIGKILL` is a power cut. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child) await end(child, signal)
  }

  /** Let it stand still: its sockets stay open, and nothing comes out of them. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  createPattern(fields: Fields = {}): Promise<{ id: string; version: number }> {
    return this.#post('patterns', 'pattern', { name: 'Rope', geometry: { rings: [ring] }, ...fields })
  }

  createJob(fields: Fields = {}): Promise<{ id: string; version: number }> {
    return this.#post('joblogs', 'joblog', { job_type: 'slice', ...fields })
  }

  createMaterial(fields: Fields = {}): Promise<{ id: string; version: number }> {
    const family = {
      name: 'Maple',
      material_type: 'maple',
      strip_width_mm: 0.5,
      strip_thickness_mm: 1.6,
      strips: [],
    }
    return this.#post('strip-families', 'strip_family', { ...family, ...fields })
  }

  /** Many creations in one request, e.g. for a list of a thousand rows. */
  async createMany(entity: 'pattern' | 'joblog' | 'strip_family', all: readonly Fields[]): Promise<void> {
    const operations = all.map((data) => ({ op: 'create', entity, data }))
    await this.#send('post', `${STORES}/bulk`, { operations })
  }

  async update(path: string, id: string, fields: Fields): Promise<void> {
    await this.#send('put', `${STORES}/${path}/${id}`, fields)
  }

  async remove(path: string, id: string): Promise<void> {
    await this.#send('delete', `${STORES}/${path}/${id}`)
  }

  /** The whole log, oldest event first. */
  async log(): Promise<LoggedEvent[]> {
    const all: LoggedEvent[] = []
    let query = ''
    for (;;) {
      const answer = await this.#send('get', `${LOG}?limit=1000${query}`)
      const { events, next, head } = answer as { events: LoggedEvent[]; next: string; head: string }
      all.push(...events)
      if (next === head) return all
      query = `&after=${next}`
    }
  }

  /** Every entity as it is now, by key, e.g. `job/0198…`. */
  async state(): Promise<Record<string, Fields>> {
    const all: Record<string, Fields> = {}
    let query = ''
    for (;;) {
      const page = (await this.#send('get', `${STATE}?limit=1000${query}`)) as {
        next: string | null
        patterns: Fields[]
        joblogs: Fields[]
        strip_families: Fields[]
      }
      for (const [name, category] of [
        ['patterns', 'pattern'],
        ['joblogs', 'job'],
        ['strip_families', 'material'],
      ] as const) {
        for (const entity of page[name]) all[`${category}/${String(entity.id)}`] = entity
      }
      if (page.next === null) return all
      query = `&after=${encodeURIComponent(page.next)}`
    }
  }

  async get(path: string, id: string): Promise<Fields | null> {
    const answer = await this.request.get(`${this.url}${STORES}/${path}/${id}`)
    if (answer.status() === 404) return null
    const body = (await answer.json()) as Record<string, Fields>
    return body.pattern ?? body.joblog ?? body.strip_family ?? null
  }

  async #post(path: string, name: string, fields: Fields): Promise<{ id: string; version: number }> {
    const body = await this.#send('post', `${STORES}/${path}`, fields)
    return body[name] as { id: string; version: number }
  }

  async #send(
    method: 'get' | 'post' | 'put' | 'delete',
    path: string,
    data?: Fields,
  ): Promise<Record<string, unknown>> {
    const answer = await this.request[method](`${this.url}${path}`, { data })
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
}

const ring = {
  kind: 'tiles',
  radius_mm: 53,
  width_mm: 2,
  segments: 90,
  strips: [
    { width_mm: 1, material: 'maple' },
    { width_mm: 1, material: 'ebony' },
  ],
}

/** End a process and wait until it is gone, also one that stands still. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill(signal)
  child.kill('SIGCONT')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await gone
  clearTimeout(late)
}

/** The address from the one line that the server prints when it is ready. */
export function readyAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolvePromise, reject) => {
    let said = ''
    const listen = (chunk: Buffer) => {
      said += chunk.toString()
      const address = /RMOS is ready: (http:\S+)/.exec(said)?.[1]
      if (address) settle(() => resolvePromise(address))
    }
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      settle(() => reject(new Error(`rmos serve was not ready in ${START_TIMEOUT_MS / 1000} s:\n${said}`)))
    }, START_TIMEOUT_MS)
    const settle = (end: () => void) => {
      clearTimeout(late)
      end()
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', (code) => settle(() => reject(new Error(`rmos serve ended with ${code}:\n${said}`))))
  })
}

export const test = base.extend<{ settings: Record<string, string>; shop: Shop }>({
  settings: [{}, { option: true }],
  shop: async ({ playwright, settings }, use) => {
    const data = await mkdtemp(join(tmpdir(), 'rmos-e2e-'))
    const request = await playwright.request.newContext()
    const shop = new Shop(data, request, settings)
    try {
      await shop.start()
      await use(shop)
    } finally {
      await shop.stop()
      await request.dispose()
      await rm(data, { recursive: true, force: true })
    }
  },
  baseURL: async ({ shop }, use) => use(shop.url),
})

export { expect } from '@playwright/test'
