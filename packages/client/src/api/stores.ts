/** The stores' REST interface, one function for each thing a page can ask. */

import { nextCursor, request, type RequestOptions } from './http'
import { KINDS, type EntityOf, type HistoryEntry, type Kind, type Preset } from './types'

const PREFIX = '/api/rmos/stores'

export interface ListParams {
  q?: string
  /** Field name, with a leading `-` for descending. */
  sort?: string
  /** Exact values by field. */
  filters?: Record<string, string>
  limit: number
  /** Cursor of a page, from the `next` of the page before it. */
  after?: string
}

export interface ListPage<K extends Kind> {
  items: EntityOf[K][]
  /** All matches, not only those on this page. */
  total: number
  next: string | null
}

export async function listEntities<K extends Kind>(
  kind: K,
  params: ListParams,
  signal?: AbortSignal,
): Promise<ListPage<K>> {
  const query = new URLSearchParams({ limit: String(params.limit), ...params.filters })
  if (params.q) query.set('q', params.q)
  if (params.sort) query.set('sort', params.sort)
  if (params.after) query.set('after', params.after)
  const answer = await request(`${PREFIX}/${kind}?${query}`, signal ? { signal } : {})
  const body = answer.body as Record<string, unknown>
  return {
    items: body[KINDS[kind].many] as EntityOf[K][],
    total: body.total as number,
    next: nextCursor(answer.headers),
  }
}

export async function getEntity<K extends Kind>(
  kind: K,
  id: string,
  signal?: AbortSignal,
): Promise<EntityOf[K]> {
  return unwrap(kind, await request(pathOf(kind, id), signal ? { signal } : {}))
}

export async function createEntity<K extends Kind>(kind: K, fields: object): Promise<EntityOf[K]> {
  return unwrap(kind, await request(`${PREFIX}/${kind}`, { method: 'POST', body: fields }))
}

/** Replace the given fields; the others stay, null clears. `ifMatch` refuses when somebody was faster. */
export async function updateEntity<K extends Kind>(
  kind: K,
  id: string,
  fields: object,
  ifMatch?: number,
): Promise<EntityOf[K]> {
  const options: RequestOptions = { method: 'PUT', body: fields }
  if (ifMatch !== undefined) options.ifMatch = ifMatch
  return unwrap(kind, await request(pathOf(kind, id), options))
}

/** `force` unlinks whatever refers to the entity instead of refusing. */
export async function deleteEntity(
  kind: Kind,
  id: string,
  options: { force?: boolean; keepalive?: boolean } = {},
): Promise<void> {
  await request(`${pathOf(kind, id)}${options.force ? '?force=true' : ''}`, {
    method: 'DELETE',
    keepalive: options.keepalive ?? false,
  })
}

export async function getHistory(kind: Kind, id: string, signal?: AbortSignal): Promise<HistoryEntry[]> {
  const answer = await request(`${pathOf(kind, id)}/history`, signal ? { signal } : {})
  return (answer.body as { history: HistoryEntry[] }).history
}

export async function getPresets(signal?: AbortSignal): Promise<Preset[]> {
  const answer = await request('/api/rmos/presets', signal ? { signal } : {})
  return (answer.body as { presets: Preset[] }).presets
}

function pathOf(kind: Kind, id: string): string {
  return `${PREFIX}/${kind}/${encodeURIComponent(id)}`
}

function unwrap<K extends Kind>(kind: K, answer: { body: unknown }): EntityOf[K] {
  return (answer.body as Record<string, unknown>)[KINDS[kind].one] as EntityOf[K]
}
