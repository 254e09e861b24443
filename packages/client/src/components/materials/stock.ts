/** How much of a material there is. */

import type { StripFamily } from '@/api/types'

export interface Stock {
  total_mm: number
  strips: number
  /** Null when nobody said how little is too little. */
  least_mm: number | null
  isLow: boolean
}

export function stockOf(family: Pick<StripFamily, 'strips' | 'min_stock_mm'>): Stock {
  const lengths = (family.strips ?? []).map((strip) => strip.length_mm ?? 0)
  const total_mm = lengths.reduce((sum, length) => sum + length, 0)
  const least_mm = family.min_stock_mm ?? null
  return { total_mm, strips: lengths.length, least_mm, isLow: least_mm !== null && total_mm < least_mm }
}
