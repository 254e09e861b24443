/** Notices that nothing comes any more although the socket looks open (a cable pulled, a laptop that slept). */

import type { Environment } from './environment'

/** Heartbeats that may be late before the line is taken for dead: two lost ones and half an interval of delay. */
const TOLERATED_HEARTBEATS = 2.5

export class Watchdog {
  readonly #environment: Environment
  readonly #onSilence: () => void
  #limitMs = 0
  #heardAt = 0
  #timer: unknown = null

  constructor(environment: Environment, onSilence: () => void) {
    this.#environment = environment
    this.#onSilence = onSilence
  }

  /** Milliseconds since the last frame. */
  get silenceMs(): number {
    return this.#environment.now() - this.#heardAt
  }

  /** Watch a connection whose heartbeats come this often; null: it sends none, so silence means nothing. */
  start(heartbeatS: number | null): void {
    this.stop()
    if (heartbeatS === null || heartbeatS <= 0) return
    this.#limitMs = heartbeatS * 1000 * TOLERATED_HEARTBEATS
    this.heard()
    this.#wait(this.#limitMs)
  }

  /** A frame arrived. Called for every one, so it only takes a note; the timer looks at it when it runs out. */
  heard(): void {
    this.#heardAt = this.#environment.now()
  }

  stop(): void {
    if (this.#timer !== null) this.#environment.clearTimer(this.#timer)
    this.#timer = null
  }

  #wait(ms: number): void {
    this.#timer = this.#environment.setTimer(() => {
      this.#timer = null
      const left = this.#heardAt + this.#limitMs - this.#environment.now()
      if (left > 0) this.#wait(left)
      else this.#onSilence()
    }, ms)
  }
}
