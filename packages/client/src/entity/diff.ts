/** The changes of one version, as lines a person can read. */

import type { HistoryEntry, JsonValue } from '@/api/types'
import { t, wordFor } from '@/i18n'
import { formatDateTime, formatNumber } from '@/i18n/format'

export interface DiffLine {
  path: string
  label: string
  /** Null where there was nothing. */
  from: string | null
  to: string | null
}

/** Change with every version and say nothing. */
const NOISE = new Set(['/version', '/updated_at', '/created_at', '/id'])
const MOST_LINES = 8
const LONGEST_VALUE = 60

export function diffLines(entry: HistoryEntry): { shown: DiffLine[]; hidden: number } {
  const said = entry.diff.filter((change) => !NOISE.has(change.path) && !isEmpty(change))
  const lines = said.map((change) => ({
    path: change.path,
    label: labelOf(change.path),
    from: valueText(change.path, change.from),
    to: valueText(change.path, change.to),
  }))
  return { shown: lines.slice(0, MOST_LINES), hidden: Math.max(0, lines.length - MOST_LINES) }
}

function isEmpty(change: { from?: JsonValue; to?: JsonValue }): boolean {
  return (change.from ?? null) === null && (change.to ?? null) === null
}

/** `/geometry/rings/0/width_mm` is "Geometry › Rings › 1 › Width". */
function labelOf(path: string): string {
  const parts = path.split('/').slice(1)
  return parts
    .map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : wordFor(t.fields, part)))
    .join(' › ')
}

function valueText(path: string, value: JsonValue | undefined): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'number')
    return path === '/progress' ? `${Math.round(value * 100)} %` : formatNumber(value)
  if (typeof value === 'string') return /_(?:at|time)$/.test(path) ? formatDateTime(value) : shorten(value)
  return shorten(JSON.stringify(value))
}

function shorten(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text
}
