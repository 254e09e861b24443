/** Spans of time as people choose them, on the clock of this browser, and as addresses carry them, in UTC. */

import type { Shift } from '@/api/analytics'
import { t } from '@/i18n/history'

/** RFC 3339, UTC. `to` is later than `from`. */
export interface Span {
  readonly from: string
  readonly to: string
}

export interface Preset {
  readonly label: string
  readonly span: Span
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The value of a `datetime-local` control: `2026-11-24T06:00`, with seconds where they are not 0. */
export function localText(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.valueOf())) return ''
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const seconds = date.getSeconds() === 0 ? '' : `:${two(date.getSeconds())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}${seconds}`
}

/** RFC 3339, UTC, of what a `datetime-local` control holds; null where that is no time. */
export function fromLocalText(text: string): string | null {
  const date = new Date(text)
  return text === '' || Number.isNaN(date.valueOf()) ? null : date.toISOString()
}

/** Null where the two are no span. */
export function spanBetween(from: unknown, to: unknown): Span | null {
  if (typeof from !== 'string' || typeof to !== 'string') return null
  const [start, end] = [new Date(from), new Date(to)]
  return start < end ? { from: start.toISOString(), to: end.toISOString() } : null
}

/** From `beforeMs` before a time to `afterMs` after it. */
export function spanAround(time: string, beforeMs: number, afterMs: number): Span {
  const middle = Date.parse(time)
  return spanOf(middle - beforeMs, middle + afterMs)
}

/** To the end of this minute: nobody chooses seconds. */
export function lastHour(now: number): Span {
  const end = Math.ceil(now / MINUTE_MS) * MINUTE_MS
  return spanOf(end - HOUR_MS, end)
}

/**
 * What is looked at most. A shop that has shifts looks at each of those that began yesterday; their times are taken to
 * be of this browser's clock, as everything on the page is.
 */
export function presets(now: number, shifts: readonly Shift[]): Preset[] {
  const today = midnight(now)
  // Not 24 hours earlier: a day may have 23 or 25.
  const yesterday = midnight(today - DAY_MS / 2)
  const weekday = new Date(yesterday).getDay() || 7
  const worked = shifts
    .filter(({ days }) => days.includes(weekday))
    .map((shift) => ({ label: t.presets.shift(shift.name), span: spanOfShift(shift, yesterday) }))
  return [
    { label: t.presets.hour, span: lastHour(now) },
    { label: t.presets.today, span: spanOf(today, lastHour(now).to) },
    ...(worked.length > 0 ? worked : [{ label: t.presets.yesterday, span: spanOf(yesterday, today) }]),
  ]
}

/** `day`: its midnight. A shift that ends before it starts ends on the next day. */
function spanOfShift({ start, end }: Shift, day: number): Span {
  const [from, to] = [atTime(day, start), atTime(day, end)]
  return spanOf(from, to > from ? to : atTime(midnight(day + 1.5 * DAY_MS), end))
}

/** `time`: `06:00`. */
function atTime(day: number, time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return new Date(day).setHours(hours, minutes, 0, 0)
}

function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0)
}

function spanOf(from: number | string, to: number | string): Span {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}
