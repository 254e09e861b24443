/** What the event log tells of the past: places in it, its events page by page, and the shop as it was. */

import { categoryOf, type Category, type MonitorEvent } from '@rmos/monitor-core'
import { request } from './http'
import type { Job, Pattern, StripFamily } from './types'

const PREFIX = '/api/rmos/monitor'

/** A place in the log: everything up to `offset`. */
export interface Place {
  offset: number
  /** `<epoch>:<offset>` */
  cursor: string
  /** When the newest event up to there happened (RFC 3339); null where there is none, or it is not kept. */
  time: string | null
}

export interface EventsAsked {
  /** Cursor after which to begin; left out: with the oldest event kept. */
  after?: string
  limit: number
  /** Left out: all. */
  filters?: readonly Category[]
}

export interface StatePage {
  at: Place
  patterns: Pattern[]
  joblogs: Job[]
  strip_families: StripFamily[]
  /** Where to go on; null after the last page. */
  next: string | null
}

/**
 * The place of a time (RFC 3339) or cursor: of a time, that of the newest event that is not later. Left out: the head.
 *
 * @throws ApiError 410 where the log is not kept so far back, 422 for the future, 409 for the cursor of another log
 */
export async function findPlace(at?: string, signal?: AbortSignal): Promise<Place> {
  // Metrics are no things that are kept, so nothing of a state has to be read for the place of it.
  return (await readState({ limit: 1, filters: ['metrics'], ...(at !== undefined && { at }) }, signal)).at
}

/**
 * Events in the order of the log, oldest first.
 *
 * @throws ApiError 409 where the log was replaced, or the cursor is not kept any more
 */
export async function readEvents(
  { after, limit, filters }: EventsAsked,
  signal?: AbortSignal,
): Promise<MonitorEvent[]> {
  const query = new URLSearchParams({ limit: String(limit) })
  if (after !== undefined) query.set('after', after)
  if (filters !== undefined) query.set('filters', filters.join(','))
  const { body } = await request(`${PREFIX}/events?${query}`, signal ? { signal } : {})
  const { events } = body as { events: Omit<MonitorEvent, 'category'>[] }
  return events.flatMap((event) => {
    const category = categoryOf(event.type)
    return category === null ? [] : [{ ...event, category }]
  })
}

/**
 * Some of the things as they were; a page may be short.
 *
 * @throws ApiError as `findPlace`
 */
export async function readState(
  asked: { at?: string; after?: string; limit: number; filters?: readonly Category[] },
  signal?: AbortSignal,
): Promise<StatePage> {
  const query = new URLSearchParams({ limit: String(asked.limit) })
  if (asked.at !== undefined) query.set('at', asked.at)
  if (asked.after !== undefined) query.set('after', asked.after)
  if (asked.filters !== undefined) query.set('filters', asked.filters.join(','))
  const { body } = await request(`${PREFIX}/state?${query}`, signal ? { signal } : {})
  return body as StatePage
}
