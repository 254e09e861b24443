/** What it takes to make rosettes of a pattern: the parts of the plan that the screens show. */

import { request } from './http'

export const MAX_ROSETTES = 10_000
export type Fragility = 'low' | 'medium' | 'high'

/** Of one strip family, for all rosettes unless it says otherwise. */
export interface StripNeed {
  strip_family_id: string
  name: string
  per_rosette_mm: number
  needed_mm: number
  stock_mm: number
  missing_mm: number
  enough_for: number
  mass_g: number | null
}

export interface PlanWarning {
  code: string
  /** Where in the pattern, or in `materials`. */
  pointer: string
  message: string
}

export interface Plan {
  rosettes: number
  /** A share of 1. */
  scrap_share: number
  rings: { index: number; fragility: Fragility | null; fragile_by: string[] }[]
  materials: StripNeed[]
  /** Null when no ring names a strip family. */
  enough_for: number | null
  /** Of one rosette. */
  tiles: number
  fragility: Fragility | null
  warnings: PlanWarning[]
}

export async function getPlan(patternId: string, rosettes: number, signal?: AbortSignal): Promise<Plan> {
  const path = `/api/rmos/patterns/${encodeURIComponent(patternId)}/plan?rosettes=${rosettes}`
  const answer = await request(path, signal ? { signal } : {})
  return (answer.body as { plan: Plan }).plan
}
