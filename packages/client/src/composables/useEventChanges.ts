/** What an event changed: the entry of its version in the history of the thing it tells of. */

import type { MonitorEvent } from '@rmos/monitor-core'
import { onScopeDispose, shallowReadonly, shallowRef, watch, type Ref } from 'vue'
import { getHistory } from '@/api/stores'
import { KINDS, type HistoryEntry, type Kind } from '@/api/types'

export type EventChanges =
  | { readonly state: 'loading' }
  /** The event tells of nothing that is stored: metrics, or a program's own event. */
  | { readonly state: 'none' }
  | { readonly state: 'failed'; readonly reason: string }
  /** `entry` is null when the history does not know this version. */
  | { readonly state: 'ready'; readonly entry: HistoryEntry | null }

export function useEventChanges(event: () => MonitorEvent): {
  changes: Readonly<Ref<EventChanges>>
  reload: () => void
} {
  const changes = shallowRef<EventChanges>({ state: 'loading' })
  let running: AbortController | null = null

  async function load(): Promise<void> {
    running?.abort()
    const { signal } = (running = new AbortController())
    const entity = entityOf(event())
    if (entity === null) {
      changes.value = { state: 'none' }
      return
    }
    changes.value = { state: 'loading' }
    const { type, version } = event()
    try {
      const history = await getHistory(entity.kind, entity.id, signal)
      const entry = history.find((candidate) => candidate.version === version && candidate.event === type)
      if (!signal.aborted) changes.value = { state: 'ready', entry: entry ?? null }
    } catch (error) {
      if (signal.aborted) return
      changes.value = { state: 'failed', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  watch(event, () => void load(), { immediate: true })
  onScopeDispose(() => running?.abort())
  return { changes: shallowReadonly(changes), reload: () => void load() }
}

/** The stored thing an event tells of; null when it is none. */
function entityOf({ category, key, version }: MonitorEvent): { kind: Kind; id: string } | null {
  const kind = (Object.keys(KINDS) as Kind[]).find((candidate) => KINDS[candidate].category === category)
  if (kind === undefined || key === null || version === null) return null
  return { kind, id: key.slice(category.length + 1) }
}
