/** Days put together so that a year fits a phone, and rates that do not jump with every single job. */

import { addDays } from './urlState'

export interface DayCount {
  date: string
  completed: number
  failed: number
}

export interface Bucket {
  from: string
  to: string
  completed: number
  failed: number
}

/** Days in a column, so that there are at most `most` of them: single days, weeks, or four weeks. */
export function bucketDays(days: number, most: number): 1 | 7 | 28 {
  return days <= most ? 1 : days <= 7 * most ? 7 : 28
}

/** Days added up, `size` at a time, from the newest back; the oldest bucket may be shorter. */
export function buckets(days: readonly DayCount[], size: number): Bucket[] {
  const found: Bucket[] = []
  for (let end = days.length; end > 0; end -= size) {
    const part = days.slice(Math.max(0, end - size), end)
    const [first, last] = [part[0], part.at(-1)]
    if (!first || !last) break
    found.push({
      from: first.date,
      to: last.date,
      completed: sum(part, 'completed'),
      failed: sum(part, 'failed'),
    })
  }
  return found.reverse()
}

/** For each day the pooled success rate (percent) of it and the days before, `days` in all; null where none ended. */
export function rollingRate(days: readonly DayCount[], window: number): (number | null)[] {
  return days.map((_, index) => {
    const part = days.slice(Math.max(0, index - window + 1), index + 1)
    const completed = sum(part, 'completed')
    const ended = completed + sum(part, 'failed')
    return ended === 0 ? null : (completed / ended) * 100
  })
}

/**
 * The pooled rate of the first and of the last `window` days; null where there are no two that share no day: then
 * nothing has changed, or nobody could tell.
 */
export function beginningAndEnd(
  rolling: readonly (number | null)[],
  window: number,
): [number, number] | null {
  const from = rolling.findIndex((rate, index) => rate !== null && index >= window - 1)
  const to = rolling.findLastIndex((rate) => rate !== null)
  const [first, last] = [rolling[from], rolling[to]]
  return from < 0 || to - from < window || typeof first !== 'number' || typeof last !== 'number'
    ? null
    : [first, last]
}

/** The conditions of a list of the jobs that figures count as completed or failed on these days. */
export function endedBetween(from: string, to: string): Record<string, string> {
  return { outcome_at_from: from, outcome_at_before: addDays(to, 1) }
}

function sum(days: readonly DayCount[], name: 'completed' | 'failed'): number {
  return days.reduce((total, day) => total + day[name], 0)
}
