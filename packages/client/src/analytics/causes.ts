/** Causes as the bars of a Pareto chart. */

import type { Bar } from '@/components/charts/marks'

export interface CauseRow {
  key: string | null
  label: string
  amount: number
  note?: string
}

export interface RankedCause extends CauseRow {
  /** Percent of the whole. */
  share: number
  /** Percent of the whole up to this one. */
  cumulative: number
}

/** Largest first, with shares of `whole`; by default of the sum of all. */
export function ranked(causes: readonly CauseRow[], whole?: number): RankedCause[] {
  const sorted = causes.filter((cause) => cause.amount > 0).toSorted((a, b) => b.amount - a.amount)
  const total = whole ?? sorted.reduce((sum, cause) => sum + cause.amount, 0)
  let reached = 0
  return sorted.map((cause) => {
    reached += cause.amount
    const part = (amount: number) => (total === 0 ? 0 : Math.min(100, (amount / total) * 100))
    return { ...cause, share: part(cause.amount), cumulative: part(reached) }
  })
}

/** Bars beyond these would be a list, not a picture; the table has them all. */
export const MAX_BARS = 12

export function barsOf(
  causes: readonly RankedCause[],
  text: (amount: number) => string,
  note: (cause: RankedCause) => string,
): Bar[] {
  return causes.slice(0, MAX_BARS).map((cause) => ({
    key: cause.key ?? '',
    label: cause.label,
    value: cause.amount,
    text: text(cause.amount),
    note: cause.note ?? note(cause),
    cumulative: cause.cumulative,
    tone: 'two',
  }))
}
