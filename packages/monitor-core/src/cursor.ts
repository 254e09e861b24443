/**
 * A place in the log, and where a tab remembers the last one it has applied.
 *
 * The epoch names the log itself: after the log was made anew, the same offset means another event.
 */

import type { Environment } from './environment'

export interface Cursor {
  readonly epoch: string
  readonly offset: number
}

/** The part of `sessionStorage` that is needed. */
export interface KeyValueStore {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

const FORM = /^([^:]+):(\d+)$/
const MAX_LENGTH = 64
/** Offsets are signed 64-bit numbers. */
const MAX_OFFSET = 2n ** 63n - 1n

export function formatCursor({ epoch, offset }: Cursor): string {
  return `${epoch}:${offset}`
}

/**
 * The place this text names; null when it is no cursor.
 *
 * Offsets beyond 2^53 lose their last digits here; a shop would have to make a million events a second for 285 years.
 */
export function parseCursor(text: string): Cursor | null {
  const [, epoch, digits] = FORM.exec(text) ?? []
  if (epoch === undefined || digits === undefined || text.length > MAX_LENGTH) return null
  return BigInt(digits) > MAX_OFFSET ? null : { epoch, offset: Number(digits) }
}

/** Milliseconds between two savings: the browser keeps each for all of its processes, which is dear for each event. */
export const SAVE_EVERY_MS = 250

/**
 * The cursor of one address, kept for the life of the tab.
 *
 * What is saved may be a moment old, but not when the page is left: whoever resumes after a reload goes on exactly where
 * it was. A page that crashes hears the events of that moment again, and misses none. A store that refuses (full, or forbidden by the browser) costs nothing but that resume.
 */
export class CursorMemory {
  readonly #environment: Pick<Environment, 'setTimer' | 'clearTimer'>
  readonly #store: KeyValueStore | null
  readonly #key: string
  /** Runs from one saving until the next may be made. */
  #timer: unknown = null
  /** What came while it ran. */
  #unsaved: { readonly cursor: Cursor | null } | null = null

  constructor(environment: Pick<Environment, 'setTimer' | 'clearTimer' | 'storage'>, url: string) {
    this.#environment = environment
    this.#store = environment.storage
    this.#key = `rmos.monitor.cursor ${url}`
  }

  load(): Cursor | null {
    try {
      return parseCursor(this.#store?.getItem(this.#key) ?? '')
    } catch {
      return null
    }
  }

  save(cursor: Cursor | null): void {
    this.#unsaved = { cursor }
    if (this.#timer === null) this.#saveAndWait()
  }

  /** Save what waits for it, as nothing more will come for now. */
  flush(): void {
    if (this.#timer !== null) this.#environment.clearTimer(this.#timer)
    this.#timer = null
    this.#saveUnsaved()
  }

  #saveAndWait(): void {
    this.#saveUnsaved()
    this.#timer = this.#environment.setTimer(() => {
      this.#timer = null
      if (this.#unsaved !== null) this.#saveAndWait()
    }, SAVE_EVERY_MS)
  }

  #saveUnsaved(): void {
    if (this.#unsaved !== null) this.#write(this.#unsaved.cursor)
    this.#unsaved = null
  }

  #write(cursor: Cursor | null): void {
    try {
      if (cursor === null) this.#store?.removeItem(this.#key)
      else this.#store?.setItem(this.#key, formatCursor(cursor))
    } catch {
      // See above: nothing that the user could do about it, and nothing shown is wrong.
    }
  }
}
