/** What charts draw: the types of their marks. */

export interface Bar {
  key: string
  label: string
  value: number
  /** The value, as it is written at the end of the bar. */
  text: string
  /** More about it, for the tip and for assistive technology. */
  note?: string
  tone?: 'one' | 'two' | 'three' | 'four' | 'soft'
  /** A second amount on the same scale, drawn as a line across the bar. */
  target?: number | null
  /** Share of this bar and all before it, 0 to 100: the Pareto line. */
  cumulative?: number
}

export interface ColumnBar {
  key: string
  /** Under the column. */
  label: string
  /** Parts from the bottom up, as many as there are `parts`. */
  values: readonly number[]
  /** Tip, and what assistive technology says. */
  note: string
  /** A sign above the column, e.g. `▼`. */
  flag?: string
  /** What the column is held against, drawn as a line across it. */
  target?: number
}

export interface RangeRow {
  key: string
  label: string
  min: number
  median: number
  mean: number
  max: number
  note: string
}

export interface HeatCell {
  x: string
  y: string
  /** −1 to 1; null where it is not known. */
  value: number | null
  note: string
}

export interface Dot {
  id: string
  x: number
  y: number
}
