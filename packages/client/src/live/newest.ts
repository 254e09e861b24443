/**
 * The newest known state of the entities that changed lately.
 *
 * A page that was asked for before a change may be answered after the event of that change arrived. So every
 * answer passes through `overlay`, and an old answer cannot put an old value back on the screen.
 */

import { KINDS, type AnyEntity, type EntityOf, type Kind } from '@/api/types'

/** An event as it comes from the monitor; what is not there is null or absent. */
export interface MonitorEvent {
  type: string
  data: unknown
  offset?: number | null
  key?: string | null
}

/** What an event says about an entity. */
export interface Change {
  kind: Kind
  id: string
  action: 'created' | 'updated' | 'deleted'
  /** The entity after the change; null when it was deleted. */
  entity: AnyEntity | null
  /** Place in the log; null for what this page changed itself. */
  offset: number | null
}

interface Known {
  entity: AnyEntity | null
  offset: number | null
}

/** Entities remembered. Only those that change while a page is being fetched matter. */
const CAPACITY = 2000

const KIND_OF_CATEGORY = new Map(
  (Object.keys(KINDS) as Kind[]).map((kind) => [KINDS[kind].category, kind] as const),
)

/** The change an event tells of; null for metrics and custom events, which carry no whole entity. */
export function changeOf(event: MonitorEvent): Change | null {
  const [category = '', name = ''] = event.type.split(':')
  const kind = KIND_OF_CATEGORY.get(category)
  if (kind === undefined || typeof event.data !== 'object' || event.data === null) return null
  const data = event.data as Record<string, unknown>
  const id = typeof data.id === 'string' ? data.id : event.key?.slice(category.length + 1)
  if (!id) return null
  const offset = event.offset ?? null
  if (name === 'deleted') return { kind, id, action: 'deleted', entity: null, offset }
  if (typeof data.version !== 'number' || typeof data.created_at !== 'string') return null
  const action = name === 'created' ? 'created' : 'updated'
  return { kind, id, action, entity: data as unknown as AnyEntity, offset }
}

export class Newest {
  readonly #known = new Map<string, Known>()

  /** Take the change in. False when it is already known or older than what is known. */
  accept(change: Change): boolean {
    const key = `${change.kind}/${change.id}`
    const known = this.#known.get(key)
    if (known && !isNewer(change, known)) return false
    this.#known.delete(key)
    this.#known.set(key, { entity: change.entity, offset: change.offset ?? known?.offset ?? null })
    if (this.#known.size > CAPACITY) {
      const oldest = this.#known.keys().next().value
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    return true
  }

  /** The entity, or a newer version of it that is known; null when it is known to be deleted. */
  overlay<K extends Kind>(kind: K, entity: EntityOf[K]): EntityOf[K] | null {
    const known = this.#known.get(`${kind}/${entity.id}`)
    if (!known) return entity
    if (known.entity === null) return null
    return known.entity.version > entity.version ? (known.entity as EntityOf[K]) : entity
  }

  /** Forget everything: after a gap in the events nothing known here is certain. */
  clear(): void {
    this.#known.clear()
  }
}

function isNewer(change: Change, known: Known): boolean {
  if (change.offset !== null && known.offset !== null && change.offset <= known.offset) return false
  if (change.entity === null) return known.entity !== null
  // Only an event tells of an id that is used again; a late answer must not bring back what was deleted.
  if (known.entity === null) return change.action === 'created' && change.offset !== null
  return change.entity.version > known.entity.version
}
