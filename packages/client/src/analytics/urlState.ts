/** What a figure is asked for, in the address: a view can be bookmarked, sent to somebody, and reached by "back". */

import type { LocationQuery, LocationQueryRaw } from 'vue-router'

/** The `days` up to and including `until`, a day (UTC); null: today. */
export interface Period {
  days: number
  until: string | null
}

export const PRESET_DAYS = [7, 30, 90, 365] as const
/** Where nobody chose, on every page that has a period. */
export const DEFAULT_DAYS = 30
/** In the place of days: all time. */
export const ALL_TIME = 'all'
/** The server's longest window. */
export const MAX_DAYS = 365

const DAY_MS = 86_400_000
const DAY = /^\d{4}-\d{2}-\d{2}$/

/** One text of the address; empty where it says nothing or several things. */
export function one(query: LocationQuery, name: string): string {
  const value = query[name]
  return typeof value === 'string' ? value : ''
}

/** One of the accepted words; the first where the address has none of them. */
export function oneOf<T extends string>(
  query: LocationQuery,
  name: string,
  accepted: readonly [T, ...T[]],
): T {
  const value = one(query, name)
  return accepted.find((word) => word === value) ?? accepted[0]
}

/** A number within its bounds; the fallback where the address has none. */
export function numberIn(
  query: LocationQuery,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = one(query, name)
  const value = text === '' ? Number.NaN : Number(text)
  return value >= least && value <= most ? value : fallback
}

/** On a page that knows no period as long as all time, that is the longest one. */
export function periodOf(query: LocationQuery, today: string): Period {
  if (isOfAllTime(query)) return { days: MAX_DAYS, until: null }
  const days = Math.trunc(numberIn(query, 'days', DEFAULT_DAYS, 1, MAX_DAYS))
  const until = one(query, 'until')
  return { days, until: isDay(until) && until < today ? until : null }
}

export function isOfAllTime(query: LocationQuery): boolean {
  return one(query, 'days') === ALL_TIME
}

/** The first and the last day of a period. */
export function boundsOf(period: Period, today: string): { from: string; to: string } {
  const to = period.until ?? today
  return { from: addDays(to, 1 - period.days), to }
}

/** The period between two days, at most the longest; the later one stays. Null where one of them is no day. */
export function periodBetween(from: string, to: string, today: string): Period | null {
  if (!isDay(from) || !isDay(to)) return null
  const last = to > today ? today : to
  const days = Math.round((Date.parse(last) - Date.parse(from)) / DAY_MS) + 1
  return { days: Math.min(MAX_DAYS, Math.max(1, days)), until: last === today ? null : last }
}

/** The address with something changed; empty and null take a condition away. */
export function changed(
  query: LocationQuery,
  changes: Record<string, string | number | null>,
): LocationQueryRaw {
  const all: Record<string, unknown> = { ...query, ...changes }
  return Object.fromEntries(
    Object.entries(all)
      .filter(([, value]) => value !== null && value !== '' && value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  )
}

/** The first moment that is no longer in a day, as a day. */
export function dayAfter(day: string): string {
  return addDays(day, 1)
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
}

function isDay(text: string): boolean {
  return DAY.test(text) && !Number.isNaN(Date.parse(text))
}
