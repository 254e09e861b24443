/**
 * A real server for each test: its own free port, its own empty data, the web app that was built.
 *
 * `test` is Playwright's with a `shop`, whose address pages open relative paths on. Stop and start it again on the same
 * data and port with `stop` and `start`.
 */

import { test as base, type APIRequestContext } from '@playwright/test'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const SERVICE = resolve(import.meta.dirname, '../../../services/api')
const RMOS = process.env.RMOS_COMMAND ?? join(SERVICE, '.venv/bin/rmos')
/** A cold start on a busy machine takes seconds, not minutes. */
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 15_000
const STORES = '/api/rmos/stores'

type Fields = Record<string, unknown>

export class Shop {
  /** Address of the server, e.g. `http://127.0.0.1:41234`; known once it has started. */
  url = ''
  #process: ChildProcess | null = null
  #port = 0

  constructor(
    private readonly data: string,
    private readonly request: APIRequestContext,
  ) {}

  /** Start on the data of before and, after the first time, on the port of before. */
  async start(): Promise<void> {
    const child = spawn(
      RMOS,
      ['serve', '--host', '127.0.0.1', '--port', String(this.#port), '--data', this.data],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#process = child
    this.url = await readyAddress(child)
    this.#port = Number(new URL(this.url).port)
  }

  /** End it and wait until it is gone. `SIGKILL` is a power cut. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await gone
    clearTimeout(late)
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

  async #send(method: 'post' | 'put', path: string, data: Fields): Promise<Record<string, unknown>> {
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

/** The address from the one line that the server prints when it is ready. */
function readyAddress(child: ChildProcess): Promise<string> {
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

export const test = base.extend<{ shop: Shop }>({
  shop: async ({ playwright }, use) => {
    const data = await mkdtemp(join(tmpdir(), 'rmos-e2e-'))
    const request = await playwright.request.newContext()
    const shop = new Shop(data, request)
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
