/** What figures are grouped by: names for people, and the conditions of the jobs behind a group. */

import type { By, Shift } from '@/api/analytics'
import { t as words, wordFor } from '@/i18n'
import { t } from '@/i18n/analytics'

export const BYS = ['machine', 'project', 'pattern', 'job_type', 'shift'] as const satisfies readonly By[]

/** Lists have no condition for a shift. */
const FIELD: Partial<Record<By, string>> = {
  machine: 'machine_id',
  project: 'project_id',
  pattern: 'pattern_id',
  job_type: 'job_type',
}

/** What may be looked at. Where no shifts are set, every job is outside of all of them. */
export function offeredBys(shifts: readonly Shift[] | undefined, chosen: string): By[] {
  return BYS.filter((by) => by !== 'shift' || by === chosen || (shifts ?? []).length > 0)
}

export function groupName(
  by: By,
  name: string | null | undefined,
  patternName: (id: string) => string,
): string {
  if (name === null || name === undefined) return t.by.unnamed[by]
  if (by === 'pattern') return patternName(name)
  return by === 'job_type' ? wordFor(words.jobs.types, name) : name
}

export function reasonName(reason: string | null | undefined): string {
  return reason ? wordFor(words.jobs.reasons, reason) : t.noReason
}

/** A list cannot be asked for what has no value: then all jobs of the period are shown. */
export function conditionOf(by: By, name: string | null | undefined): Record<string, string> {
  const field = FIELD[by]
  return name && field ? { [field]: name } : {}
}
