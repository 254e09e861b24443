/** One number that a page begins with. */

export interface Tile {
  label: string
  /** Null: not known. */
  value: string | null
  /** How it is meant, or how much it rests on. */
  note: string
  isBad?: boolean
}
