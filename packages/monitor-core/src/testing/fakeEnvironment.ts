/** Chance, storage, network and neighbours of one page in a test. */

import type { Environment, Tabs, WebSocketLike } from '../environment'
import { FakeBrowser, type FakePage } from './fakeBrowser'
import type { FakeConnection } from './fakeServer'

export class FakeEnvironment implements Environment {
  readonly browser: FakeBrowser
  readonly page: FakePage
  /** A test may take the other tabs away. */
  tabs: Tabs | null
  readonly items = new Map<string, string>()
  /** What `random` answers. */
  chance = 0.5
  readonly #wakers = new Set<() => void>()
  readonly #hiders = new Set<() => void>()
  readonly #connections: FakeConnection[] = []

  /** `browser`: to open another tab of it. */
  constructor(browser = new FakeBrowser()) {
    this.browser = browser
    this.page = browser.open()
    this.tabs = this.page
  }

  readonly storage = {
    getItem: (key: string) => this.items.get(key) ?? null,
    setItem: (key: string, value: string) => void this.items.set(key, value),
    removeItem: (key: string) => void this.items.delete(key),
  }

  get server() {
    return this.browser.server
  }

  createSocket(url: string, protocols: string[]): WebSocketLike {
    const connection = this.server.connect(url, protocols)
    this.#connections.push(connection)
    return connection.socket
  }

  setTimer(run: () => void, ms: number): unknown {
    return this.browser.setTimer(this.page, run, ms)
  }

  clearTimer(timer: unknown): void {
    this.browser.clearTimer(timer)
  }

  now(): number {
    return this.browser.now
  }

  random(): number {
    return this.chance
  }

  onHide(hide: () => void): () => void {
    this.#hiders.add(hide)
    return () => void this.#hiders.delete(hide)
  }

  /** The page is left. */
  hide(): void {
    for (const hide of [...this.#hiders]) hide()
  }

  onWake(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => void this.#wakers.delete(wake)
  }

  /** The network is back, or the page is looked at again. */
  wake(): void {
    for (const wake of [...this.#wakers]) wake()
  }

  get nextTimerMs(): number | null {
    return this.browser.nextTimerMs
  }

  settle(): Promise<void> {
    return this.browser.settle()
  }

  advance(ms: number): Promise<void> {
    return this.browser.advance(ms)
  }

  /** The page is gone, as if its process had been killed. */
  close(): void {
    this.browser.closed(this.page)
    for (const connection of this.#connections) connection.vanish()
  }
}
