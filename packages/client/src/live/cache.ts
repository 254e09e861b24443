/**
 * The query cache, kept true by the events.
 *
 * Rule 1: an event changes what is on the screen at once, without asking the server.
 * Rule 2: what a single page cannot know (who moves up, what a text search finds, what its answer under way was too
 *         early to hold) is read again, at most once a second for each kind, however many events arrive. Figures
 *         likewise, every few seconds.
 */

import type { QueryClient } from '@tanstack/vue-query'
import type { ListPage, ListParams } from '@/api/stores'
import type { AnyEntity, EntityOf, Kind } from '@/api/types'
import { changeOf, Newest, type Change, type MonitorEvent } from './newest'
import { patchPage } from './patch'

/** Waits for the events of the same moment before a list is read again, in milliseconds. */
export const REFRESH_DELAY_MS = 1000
/** The same for figures, which are about much and change by little. In milliseconds. */
export const FIGURES_DELAY_MS = 3000

export const keys = {
  lists: (kind: Kind) => ['list', kind] as const,
  list: (kind: Kind, params: ListParams) => ['list', kind, params] as const,
  entity: (kind: Kind, id: string) => ['entity', kind, id] as const,
  history: (kind: Kind, id: string) => ['history', kind, id] as const,
  referrers: (kind?: Kind, id?: string) => ['referrers', kind, id] as const,
  presets: ['presets'] as const,
  figures: ['figures'] as const,
  figure: (path: string, asked: object) => ['figures', path, asked] as const,
}

export class LiveCache {
  readonly newest = new Newest()
  readonly #refreshing = new Map<Kind, ReturnType<typeof setTimeout>>()
  #countingAgain: ReturnType<typeof setTimeout> | null = null

  constructor(private readonly client: QueryClient) {}

  /** Take in an event of the monitor. Duplicates and late ones do nothing. */
  applyEvent(event: MonitorEvent): void {
    const change = changeOf(event)
    if (change && this.newest.accept(change)) this.#apply(change)
  }

  /** Take in what a write of this page was answered, which may come before or after its event. */
  applyAnswer<K extends Kind>(kind: K, entity: EntityOf[K]): void {
    const action = entity.version === 1 ? 'created' : 'updated'
    const change: Change = { kind, id: entity.id, action, entity, offset: null }
    if (this.newest.accept(change)) this.#apply(change)
  }

  /** Take in that this page deleted an entity. */
  applyDeletion(kind: Kind, id: string): void {
    const change: Change = { kind, id, action: 'deleted', entity: null, offset: null }
    if (this.newest.accept(change)) this.#apply(change)
  }

  /** Read what is on the screen again. */
  async refresh(): Promise<void> {
    await this.client.invalidateQueries()
  }

  /** After a gap in the events: trust nothing that was heard before. */
  async distrust(): Promise<void> {
    this.newest.clear()
    await this.refresh()
  }

  #apply(change: Change): void {
    const { kind, id, entity } = change
    this.client.setQueryData<AnyEntity | null>(keys.entity(kind, id), (old) => {
      // Nobody looks at it: nothing to keep.
      if (old === undefined) return undefined
      return old && entity && old.version > entity.version ? old : entity
    })
    for (const { queryKey, state } of this.client.getQueryCache().findAll({ queryKey: keys.lists(kind) })) {
      // The answer that is under way may be from before the change, and replaces what is patched now.
      if (state.fetchStatus === 'fetching') this.#refreshSoon(kind)
      const page = state.data as ListPage<Kind> | undefined
      if (!page) continue
      const patched = patchPage(page, queryKey[2] as ListParams, change)
      if (patched.page !== page) this.client.setQueryData(queryKey, patched.page)
      if (patched.stale) this.#refreshSoon(kind)
    }
    void this.client.invalidateQueries({ queryKey: keys.history(kind, id) })
    this.#countAgainSoon()
  }

  /** Any change may alter any figure: only the server can tell. Those that nobody looks at are not asked for. */
  #countAgainSoon(): void {
    if (this.#countingAgain !== null) return
    this.#countingAgain = setTimeout(() => {
      this.#countingAgain = null
      void this.client.invalidateQueries({ queryKey: keys.figures })
    }, FIGURES_DELAY_MS)
  }

  #refreshSoon(kind: Kind): void {
    if (this.#refreshing.has(kind)) return
    const timer = setTimeout(() => {
      this.#refreshing.delete(kind)
      void this.client.invalidateQueries({ queryKey: keys.lists(kind) })
    }, REFRESH_DELAY_MS)
    this.#refreshing.set(kind, timer)
  }
}
