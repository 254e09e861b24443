/** Numbers, lengths and times as people read them. */

import { locale, t } from '.'

const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 })
const small = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 })
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
const oneDecimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
const significant = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 })
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
// Days of the figures are days in UTC, wherever the reader is.
const dayShort = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' })
const dayLong = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' })
const momentDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
const timeToMinute = new Intl.DateTimeFormat(locale, { timeStyle: 'short' })
const timeOfDay = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' })
const dateAndTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' })
const span = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })

/** Below this a number has two significant digits: rounded to hundredths, something would be shown as nothing. */
const SMALL = 0.1
/** Nearer to nothing than this is nothing: it is what adding and subtracting decimals leaves. */
const NOISE = 1e-9

export function formatNumber(value: number): string {
  return rounded(value, decimals)
}

function rounded(value: number, usual: Intl.NumberFormat): string {
  if (Math.abs(value) < NOISE) return usual.format(0)
  return withMinus((Math.abs(value) < SMALL ? small : usual).format(value))
}

/** A hyphen is shorter than a plus, and breaks a line. */
function withMinus(text: string): string {
  return text.replace('-', '−')
}

/** A count, e.g. `1,204`. */
export function formatCount(value: number): string {
  return whole.format(value)
}

/** A measured number to three digits, as many as a workshop can tell apart. */
export function formatMeasured(value: number): string {
  return withMinus(significant.format(value))
}

/** A large number in little room, e.g. `12K`. */
export function formatCompact(value: number): string {
  return compact.format(value)
}

/** A percentage, e.g. `93.5 %`; `value` is 0 to 100. */
export function formatPercent(value: number): string {
  return `${rounded(value, oneDecimal)}\u00A0%`
}

/** A share of 1 as a percentage. */
export function formatShare(value: number): string {
  return formatPercent(value * 100)
}

/** A day such as `2026-11-24`: `Nov 24`. */
export function formatDay(day: string): string {
  return dayShort.format(new Date(day))
}

const DAY_MS = 86_400_000

/**
 * Moments beside an axis, oldest first: what differs among them. Within a day the time (with seconds where
 * minutes would be said twice), else the day, and the time where the day has been said.
 */
export function formatMoments(moments: readonly string[]): string[] {
  const dates = moments.map((moment) => new Date(moment))
  const extent = (dates.at(-1)?.valueOf() ?? 0) - (dates[0]?.valueOf() ?? 0)
  const times = dates.map((date) => timeToMinute.format(date))
  if (extent < DAY_MS) {
    const isTwice = times.some((time, index) => index > 0 && time === times[index - 1])
    return isTwice ? dates.map((date) => timeOfDay.format(date)) : times
  }
  const days = dates.map((date) => momentDay.format(date))
  return days.map((day, index) => (day === days[index - 1] ? (times[index] ?? '') : day))
}

/** A day with its year. */
export function formatDate(day: string): string {
  return dayLong.format(new Date(day))
}

/** A length in mm, in metres where it is long. */
export function formatLength(mm: number): string {
  return mm >= 1000 ? `${formatNumber(mm / 1000)} m` : `${formatNumber(mm)} mm`
}

/** A moment near now: its time, with the day where that is another one. `now` in ms since 1970. */
export function formatNear(time: string, now: number): string {
  const date = new Date(time)
  const text = timeToMinute.format(date)
  return date.toDateString() === new Date(now).toDateString() ? text : `${momentDay.format(date)}, ${text}`
}

export function formatTime(time: Date): string {
  return timeOfDay.format(time)
}

export function formatDateTime(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.valueOf()) ? t.time.unknown : dateAndTime.format(date)
}

/** A span of time; what is the same at both ends is said once. */
export function formatSpan(from: string, to: string): string {
  return span.formatRange(new Date(from), new Date(to))
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

/** Below so many seconds tenths count. */
const SHORT_S = 10

/** A round duration for an axis, e.g. `10 min`, `1 h 30 min`, `2 d`. */
export function formatRoundDuration(seconds: number): string {
  const sign = seconds < 0 ? '−' : ''
  if (seconds !== 0 && Math.abs(seconds) < SHORT_S) return `${sign}${shortly(Math.abs(seconds))}`
  const left = Math.round(Math.abs(seconds))
  const parts: string[] = []
  const units = [
    ['d', Math.floor(left / 86_400)],
    ['h', Math.floor((left % 86_400) / 3600)],
    ['min', Math.floor((left % 3600) / 60)],
    ['s', left % 60],
  ] as const
  for (const [unit, amount] of units) if (amount > 0) parts.push(`${amount}\u00A0${unit}`)
  return parts.length > 0 ? sign + parts.slice(0, 2).join(' ') : '0'
}

/** A duration, e.g. `1 h 05 min`, `3 min 20 s`, `45 s`, `1.8 s`. A line breaks only between two units. */
export function formatDuration(seconds: number): string {
  if (seconds < SHORT_S) return shortly(Math.max(0, seconds))
  const all = Math.round(seconds)
  const [h, m, s] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60), all % 60]
  if (h > 0) return `${h}\u00A0h ${String(m).padStart(2, '0')}\u00A0min`
  return m > 0 ? `${m}\u00A0min ${String(s).padStart(2, '0')}\u00A0s` : `${s}\u00A0s`
}

function shortly(seconds: number): string {
  return `${rounded(seconds, oneDecimal)}\u00A0s`
}
