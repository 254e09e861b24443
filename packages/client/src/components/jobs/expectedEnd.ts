/** When a running job will be done, in words. */

import type { ExpectedEnd } from '@/api/analytics'
import { t } from '@/i18n'
import { formatDuration, formatNear, formatRoundDuration } from '@/i18n/format'

const words = t.jobs.eta

export interface EndInWords {
  end: string
  /** Null where there is no end either: then `end` says why. */
  interval: string | null
  /** What it is judged from; null where there is nothing. */
  basis: string | null
  /** It runs longer than such jobs do. */
  overrun: string | null
}

/** `now` in ms since 1970. */
export function endInWords(eta: ExpectedEnd, now: number): EndInWords {
  const interval = intervalText(eta, now)
  return {
    ...(eta.expected_end === null
      ? { end: eta.interval === null ? interval : words.far, interval: null }
      : { end: words.at(formatNear(eta.expected_end, now), left(eta.expected_end, now)), interval }),
    basis: basisText(eta),
    overrun: eta.overrun_s ? words.overrun(formatDuration(eta.overrun_s)) : null,
  }
}

/** The same for a line of a list; null where nothing is known. */
export function endInList(eta: ExpectedEnd, now: number): string | null {
  if (eta.overrun_s) return words.late
  return eta.expected_end === null ? null : words.inList(formatNear(eta.expected_end, now))
}

/** Null when it is over. In whole minutes: nobody can tell more, and nobody wants to watch seconds pass. */
function left(end: string, now: number): string | null {
  const seconds = (Date.parse(end) - now) / 1000
  if (seconds <= 0) return null
  return seconds < 60 ? words.soon : formatRoundDuration(Math.round(seconds / 60) * 60)
}

function intervalText({ interval, overrun_s, n }: ExpectedEnd, now: number): string {
  if (interval === null) return overrun_s === null ? words.noInterval(n) : words.noneLonger(n)
  const [from, to] = interval
  if (from === null) return words.far
  return to === null
    ? words.after(formatNear(from, now))
    : words.between(formatNear(from, now), formatNear(to, now))
}

function basisText({ basis, n }: ExpectedEnd): string | null {
  if (basis === 'none') return null
  if (basis === 'progress') return words.progress
  const [past, progress] = basis.split('+')
  const text = words.bases[past === 'pattern' ? 'pattern' : 'job_type'](n)
  return progress ? words.and(text, words.progress) : text
}
