/**
 * A place in the log, and where a tab remembers the last one it has applied.
 *
 * The epoch names the log itself: after the log was made anew, the same offset means another event.
 */

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

/**
 * The cursor of one address, kept for the life of the tab.
 *
 * A store that refuses (full, or forbidden by the browser) costs nothing but the resume after a reload of the page.
 */
export class CursorMemory {
  readonly #store: KeyValueStore | null
  readonly #key: string

  constructor(store: KeyValueStore | null, url: string) {
    this.#store = store
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
    try {
      if (cursor === null) this.#store?.removeItem(this.#key)
      else this.#store?.setItem(this.#key, formatCursor(cursor))
    } catch {
      // See above: nothing that the user could do about it, and nothing shown is wrong.
    }
  }
}
