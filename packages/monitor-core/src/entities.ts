/** The shop's entities as a client has them: a snapshot, and what happened since. */

import type { CATEGORIES } from './filters'
import type { JsonObject, MonitorEvent, Snapshot } from './messages'

/** Of each category, by id. Feed it by `subscribe(filters, mirror.apply, { snapshot: mirror.replace })`. */
export class EntityMirror {
  readonly #byKey = new Map<string, JsonObject>()

  /** The entity of a key such as `job/0198…`; null where there is none. */
  get(key: string): JsonObject | null {
    return this.#byKey.get(key) ?? null
  }

  get entries(): ReadonlyMap<string, JsonObject> {
    return this.#byKey
  }

  /** Begin anew with a snapshot. */
  readonly replace = (snapshot: Snapshot): void => {
    this.#byKey.clear()
    for (const [category, entities] of entitiesOf(snapshot)) {
      for (const entity of entities)
        if (typeof entity.id === 'string') this.#byKey.set(`${category}/${entity.id}`, entity)
    }
  }

  /** Take in an event. One that a program made carries no whole entity and changes nothing. */
  readonly apply = ({ type, key, version, data }: MonitorEvent): void => {
    if (key === null || version === null) return
    if (type.endsWith(':deleted')) this.#byKey.delete(key)
    else this.#byKey.set(key, data)
  }
}

/** The entities of a snapshot by the category of their events. */
export function entitiesOf(snapshot: Snapshot): [category: (typeof CATEGORIES)[number], JsonObject[]][] {
  return [
    ['pattern', [...snapshot.patterns]],
    ['job', [...snapshot.joblogs]],
    ['material', [...snapshot.stripFamilies]],
  ]
}
