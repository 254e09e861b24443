/** Numbers, lengths and times as people read them. */

import { locale, t } from '.'

const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 })
const timeOfDay = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' })
const dateAndTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' })
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })

export function formatNumber(value: number): string {
  return decimals.format(value)
}

/** A length in mm, in metres where it is long. */
export function formatLength(mm: number): string {
  return mm >= 1000 ? `${decimals.format(mm / 1000)} m` : `${decimals.format(mm)} mm`
}

export function formatTime(time: Date): string {
  return timeOfDay.format(time)
}

export function formatDateTime(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.valueOf()) ? t.time.unknown : dateAndTime.format(date)
}

const STEPS: readonly (readonly [limit: number, unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [7 * 86_400, 'day', 86_400],
]

/** How long ago, e.g. `5 minutes ago`; the date when it is more than a week. `now` in ms since 1970. */
export function formatAgo(time: string, now: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.valueOf())) return t.time.unknown
  const seconds = Math.round((date.valueOf() - now) / 1000)
  // Clocks of two machines differ by seconds: that is no future. And nobody wants to watch seconds pass.
  if (seconds > -60 && seconds < 5) return t.time.now
  const step = STEPS.find(([limit]) => Math.abs(seconds) < limit)
  return step ? relative.format(Math.trunc(seconds / step[2]), step[1]) : dateAndTime.format(date)
}

/** A duration, e.g. `1 h 05 min`, `3 min 20 s`, `45 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  if (h > 0) return `${h} h ${String(m).padStart(2, '0')} min`
  return m > 0 ? `${m} min ${String(s).padStart(2, '0')} s` : `${s} s`
}
