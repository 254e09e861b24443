/** How one change alters one page of a list: what can be told from the page alone, without asking the server. */

import type { ListPage, ListParams } from '@/api/stores'
import type { AnyEntity, Kind } from '@/api/types'
import type { Change } from './newest'

export interface Patched {
  page: ListPage<Kind>
  /** The page may now lack a row, hold one too many or be out of order: it must be read again. */
  stale: boolean
}

export const DEFAULT_SORT = '-created_at'

export function patchPage(page: ListPage<Kind>, params: ListParams, change: Change): Patched {
  const index = page.items.findIndex((item) => item.id === change.id)
  const { entity } = change
  if (entity === null) return index < 0 ? { page, stale: true } : { page: without(page, index), stale: true }

  const wanted = matches(params, entity)
  const sort = params.sort ?? DEFAULT_SORT
  if (index >= 0) {
    const old = page.items[index]
    if (old && old.version >= entity.version) return { page, stale: false }
    if (wanted === false) return { page: without(page, index), stale: true }
    const items = page.items.with(index, entity)
    const moved = old !== undefined && sortedBy(old, sort) !== sortedBy(entity, sort)
    return { page: { ...page, items }, stale: moved || wanted === null }
  }
  if (wanted === false) return { page, stale: false }
  if (change.action === 'created' && wanted && sort === DEFAULT_SORT && !params.after) {
    const items = [entity, ...page.items].slice(0, params.limit)
    return { page: { ...page, items, total: page.total + 1 }, stale: page.items.length >= params.limit }
  }
  // An unfiltered list in order of creation gains nothing from an edit of a row on another page.
  const untouched = change.action === 'updated' && isUnfiltered(params) && sort === DEFAULT_SORT
  return { page, stale: !untouched }
}

/** Whether the entity belongs in the list; null when only the server's text search can tell. */
export function matches(params: ListParams, entity: AnyEntity): boolean | null {
  for (const [name, value] of Object.entries(params.filters ?? {})) {
    const bound = BOUND.exec(name)
    const field = bound?.[1] ?? name
    const actual = fieldOf(entity, field)
    if (bound) {
      if (typeof actual !== 'string' || !isWithin(actual, value, bound[2] === 'from')) return false
      continue
    }
    if (typeof actual === 'number' ? actual !== Number(value) : !isText(actual, value)) return false
  }
  return params.q ? null : true
}

function isText(actual: unknown, value: string): boolean {
  return typeof actual === 'string' && actual.toLowerCase() === value.toLowerCase()
}

/** Filters that bound a time, from a moment or day on, or before it. */
const BOUND = /^(.+_(?:time|at))_(from|before)$/

/** A day without a time of day is its beginning, UTC, as for the server. */
function isWithin(time: string, bound: string, isLower: boolean): boolean {
  return Date.parse(time) >= Date.parse(bound) === isLower
}

function isUnfiltered(params: ListParams): boolean {
  return !params.q && Object.keys(params.filters ?? {}).length === 0
}

function without(page: ListPage<Kind>, index: number): ListPage<Kind> {
  return { ...page, items: page.items.toSpliced(index, 1), total: Math.max(0, page.total - 1) }
}

function sortedBy(entity: AnyEntity, sort: string): unknown {
  return fieldOf(entity, sort.replace(/^-/, ''))
}

function fieldOf(entity: AnyEntity, name: string): unknown {
  return COMPUTED[name]?.(entity) ?? (entity as unknown as Record<string, unknown>)[name]
}

/** What lists are filtered by that is no field, as the server computes it. */
const COMPUTED: Readonly<Record<string, (entity: AnyEntity) => unknown>> = {
  outcome_at: (job) =>
    'job_type' in job && (job.status === 'completed' || job.status === 'failed')
      ? (job.end_time ?? job.start_time ?? job.created_at)
      : null,
  supplier: ({ metadata }) =>
    typeof metadata?.supplier === 'string' ? metadata.supplier.replace(/^ +| +$/g, '') : null,
}
