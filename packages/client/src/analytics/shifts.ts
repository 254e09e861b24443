/** When the shop works, in words. */

import type { Shift } from '@/api/analytics'
import { t } from '@/i18n/analytics'

/** E.g. `early (Mon–Fri, 06:00–14:00)`. */
export function shiftText({ name, days, start, end }: Shift): string {
  return t.machines.shift(name, daysText(days), start, end)
}

/** Days of the week, 1 (Monday) to 7 and ascending; three and more in a row as a span. */
export function daysText(days: readonly number[]): string {
  const runs: number[][] = []
  for (const day of days) {
    const run = runs.at(-1)
    if (run?.at(-1) === day - 1) run.push(day)
    else runs.push([day])
  }
  const nameOf = (day: number | undefined) => t.machines.weekdays[(day ?? 0) - 1] ?? ''
  return runs
    .flatMap((run) => (run.length > 2 ? [`${nameOf(run[0])}–${nameOf(run.at(-1))}`] : run.map(nameOf)))
    .join(', ')
}
