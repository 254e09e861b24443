/** What the client needs of the world around it. Tests give their own; in a browser it is `browserEnvironment`. */

import type { KeyValueStore } from './cursor'

/** The part of a `WebSocket` that is used. */
export interface WebSocketLike {
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

export interface Environment {
  /** @throws when the address is none */
  createSocket(url: string, protocols: string[]): WebSocketLike
  setTimer(run: () => void, ms: number): unknown
  clearTimer(timer: unknown): void
  /** Milliseconds of a clock that never goes back. */
  now(): number
  /** A number of [0, 1). */
  random(): number
  /** Where the tab keeps its cursor; null where it cannot. */
  readonly storage: KeyValueStore | null
  /** Call back when the network is back or the page is looked at again. Returns how to stop that. */
  onWake(wake: () => void): () => void
}

/** Globals are looked up when they are needed, so the module loads where there is no browser. */
export const browserEnvironment: Environment = {
  createSocket(url, protocols) {
    if (typeof WebSocket === 'undefined') throw new Error('there is no WebSocket here')
    // A socket calls its handlers with more than is declared here, which the types cannot express.
    return new WebSocket(url, protocols) as WebSocketLike
  },
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>), // what setTimer returned
  now: () => performance.now(),
  random: () => Math.random(),
  get storage() {
    try {
      return typeof sessionStorage === 'undefined' ? null : sessionStorage
    } catch {
      // Browsers that forbid storage throw at the mere look at it.
      return null
    }
  },
  onWake(wake) {
    if (typeof window === 'undefined') return () => undefined
    // `offline` is not listened to: the server may well be this very computer.
    const wakeWhenVisible = () => {
      if (document.visibilityState === 'visible') wake()
    }
    window.addEventListener('online', wake)
    document.addEventListener('visibilitychange', wakeWhenVisible)
    return () => {
      window.removeEventListener('online', wake)
      document.removeEventListener('visibilitychange', wakeWhenVisible)
    }
  },
}
