/**
 * Time, and the pages of one browser that look at one server: nothing happens until the test says so.
 *
 * What pages post to each other, and locks that become free, wait at the page they are for until `pump` (all of them) or
 * the page's `step` (one) takes them there.
 */

import type { Tabs } from '../environment'
import { FakeServer } from './fakeServer'

interface Timer {
  readonly at: number
  readonly run: () => void
  readonly page: FakePage
}

interface Wish {
  readonly page: FakePage
  readonly held: () => void
}

export class FakeBrowser {
  readonly server = new FakeServer()
  readonly pages = new Set<FakePage>()
  now = 0
  readonly #timers = new Set<Timer>()
  /** Who wants each lock, the first of them has it. */
  readonly #locks = new Map<string, Wish[]>()
  #opened = 0

  open(): FakePage {
    const page = new FakePage(this, `page${++this.#opened}`)
    this.pages.add(page)
    return page
  }

  setTimer(page: FakePage, run: () => void, ms: number): Timer {
    const timer = { at: this.now + ms, run, page }
    this.#timers.add(timer)
    return timer
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as Timer) // what setTimer returned
  }

  /** Milliseconds until the next timer runs; null when there is none. */
  get nextTimerMs(): number | null {
    const due = [...this.#timers].map((timer) => timer.at)
    return due.length === 0 ? null : Math.min(...due) - this.now
  }

  hold(page: FakePage, name: string, held: () => void): () => void {
    const wish = { page, held }
    const wishes = this.#locks.get(name) ?? []
    this.#locks.set(name, wishes)
    wishes.push(wish)
    if (wishes[0] === wish) page.soon(held)
    return () => this.#release(wishes, wish)
  }

  post(from: FakePage, name: string, note: unknown): void {
    for (const page of this.pages) if (page !== from) page.hear(name, structuredClone(note))
  }

  /** The page is gone, as if its process had been killed. */
  closed(page: FakePage): void {
    this.pages.delete(page)
    for (const timer of this.#timers) if (timer.page === page) this.#timers.delete(timer)
    for (const wishes of this.#locks.values()) {
      for (const wish of [...wishes]) if (wish.page === page) this.#release(wishes, wish)
    }
  }

  /** Let everything arrive, with the microtasks between. */
  async settle(): Promise<void> {
    // A command is sent in a microtask after what caused it; a few quiet rounds are the end of every such chain.
    for (let quiet = 0; quiet < 6; quiet += 1) {
      this.server.pump()
      for (const page of this.pages) while (page.step()) quiet = 0
      await Promise.resolve()
    }
    this.server.pump()
  }

  /** Let time pass; timers run in order, and what they cause arrives before the next. */
  async advance(ms: number): Promise<void> {
    await this.settle()
    const end = this.now + ms
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.#timers.delete(next)
      this.now = next.at
      if (next.page.isAwake) next.run()
      await this.settle()
    }
    this.now = end
    await this.settle()
  }

  #release(wishes: Wish[], wish: Wish): void {
    const wasHeld = wishes[0] === wish
    wishes.splice(wishes.indexOf(wish), wishes.includes(wish) ? 1 : 0)
    const [next] = wishes
    if (wasHeld && next !== undefined) next.page.soon(next.held)
  }
}

/** One page, as its tab sees the others. */
export class FakePage implements Tabs {
  /** Whether it does anything at all; a page that hangs keeps its locks and what waits for it. */
  isAwake = true
  readonly #ears = new Map<string, (note: unknown) => void>()
  readonly #tasks: (() => void)[] = []

  constructor(
    readonly browser: FakeBrowser,
    readonly id: string,
  ) {}

  hold(name: string, held: () => void): () => void {
    return this.browser.hold(this, name, held)
  }

  join(name: string, hear: (note: unknown) => void): (note: unknown) => void {
    this.#ears.set(name, hear)
    return (note) => this.browser.post(this, name, note)
  }

  hear(name: string, note: unknown): void {
    this.soon(() => this.#ears.get(name)?.(note))
  }

  soon(task: () => void): void {
    this.#tasks.push(task)
  }

  /** Let one thing arrive. False when nothing is under way. */
  step(): boolean {
    const task = this.isAwake ? this.#tasks.shift() : undefined
    task?.()
    return task !== undefined
  }
}
