/** Time, chance, storage and network of a test: nothing happens until the test says so. */

import type { Environment } from '../environment'
import { FakeServer } from './fakeServer'

interface Timer {
  readonly at: number
  readonly run: () => void
}

export class FakeEnvironment implements Environment {
  readonly server = new FakeServer()
  readonly items = new Map<string, string>()
  /** What `random` answers. */
  chance = 0.5
  #now = 0
  readonly #timers = new Set<Timer>()
  readonly #wakers = new Set<() => void>()

  readonly storage = {
    getItem: (key: string) => this.items.get(key) ?? null,
    setItem: (key: string, value: string) => void this.items.set(key, value),
    removeItem: (key: string) => void this.items.delete(key),
  }

  createSocket(url: string, protocols: string[]) {
    return this.server.createSocket(url, protocols)
  }

  setTimer(run: () => void, ms: number): Timer {
    const timer = { at: this.#now + ms, run }
    this.#timers.add(timer)
    return timer
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as Timer) // what setTimer returned
  }

  now(): number {
    return this.#now
  }

  random(): number {
    return this.chance
  }

  onWake(wake: () => void): () => void {
    this.#wakers.add(wake)
    return () => void this.#wakers.delete(wake)
  }

  /** The network is back, or the page is looked at again. */
  wake(): void {
    for (const wake of [...this.#wakers]) wake()
  }

  /** Milliseconds until the next timer runs; null when there is none. */
  get nextTimerMs(): number | null {
    const due = [...this.#timers].map((timer) => timer.at)
    return due.length === 0 ? null : Math.min(...due) - this.#now
  }

  /** Let everything on the lines arrive, with the microtasks between. */
  async settle(): Promise<void> {
    // A command is sent in a microtask after what caused it; a few rounds reach the end of every such chain.
    for (let round = 0; round < 6; round += 1) {
      this.server.pump()
      await Promise.resolve()
    }
    this.server.pump()
  }

  /** Let time pass; timers run in order, and what they cause arrives before the next. */
  async advance(ms: number): Promise<void> {
    await this.settle()
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.#timers.delete(next)
      this.#now = next.at
      next.run()
      await this.settle()
    }
    this.#now = end
    await this.settle()
  }
}
