/** What the client needs of the world around it. Tests give their own; in a browser it is `browserEnvironment`. */

import type { KeyValueStore } from './cursor'

/** The part of a `WebSocket` that is used. */
export interface WebSocketLike {
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** What the tabs of one browser have in common. */
export interface Tabs {
  /** A name of this page that no other page has, also not after a reload. */
  readonly id: string
  /**
   * Have a lock that one tab at a time can have, from when `held` is called until this tab is gone or the returned
   * function is called.
   */
  hold(name: string, held: () => void): () => void
  /** Hear what other tabs post under this name. Returns how to post; what a tab posts, it does not hear itself. */
  join(name: string, hear: (note: unknown) => void): (note: unknown) => void
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
  /** The other tabs; null where a tab cannot know of them. */
  readonly tabs: Tabs | null
  /** Call back when the network is back or the page is looked at again. Returns how to stop that. */
  onWake(wake: () => void): () => void
  /** Call back when the page is left or may be thrown away unasked. Returns how to stop that. */
  onHide(hide: () => void): () => void
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
  get tabs() {
    return (browserTabs ??= openTabs())
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
  onHide(hide) {
    if (typeof window === 'undefined') return () => undefined
    window.addEventListener('pagehide', hide)
    return () => window.removeEventListener('pagehide', hide)
  },
}

let browserTabs: Tabs | null = null

/** Web Locks are missing on plain http from another computer, and both outside of browsers. */
function openTabs(): Tabs | null {
  if (typeof BroadcastChannel === 'undefined') return null
  // Typed as always there, which it is not.
  const locks = typeof navigator === 'undefined' ? null : (navigator as { locks?: LockManager | null }).locks
  if (!locks) return null
  return {
    id: Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(36)).join(''),
    hold(name, held) {
      const waiting = new AbortController()
      let release: () => void = () => waiting.abort()
      const taken = () => {
        held()
        return new Promise<void>((resolve) => (release = resolve))
      }
      // Who no longer waits is told so by a rejection.
      void locks.request(name, { signal: waiting.signal }, taken).catch(() => undefined)
      return () => release()
    },
    join(name, hear) {
      const channel = new BroadcastChannel(name)
      channel.onmessage = ({ data }) => hear(data)
      return (note) => channel.postMessage(note)
    },
  }
}
