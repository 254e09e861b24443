/** One list of a page: its search, order, filters and place, in step with the address and the events. */

import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { listEntities, type ListParams } from '@/api/stores'
import type { EntityOf, Kind } from '@/api/types'
import { keys } from '@/live/cache'
import { DEFAULT_SORT } from '@/live/patch'
import { useDeletions } from '@/stores/deletions'
import { useLive } from '@/stores/live'

/** Rows on a page: enough to scroll, few enough for a tablet. */
export const PAGE_SIZE = 50

export type EntityList<K extends Kind> = ReturnType<typeof useList<K>>

/** `fields`: the fields that filter this list. */
export function useList<K extends Kind>(kind: K, fields: readonly string[]) {
  const route = useRoute()
  const router = useRouter()
  const live = useLive()
  const deletions = useDeletions()
  /** Cursors of the pages before and including this one; empty on the first page. */
  const cursors = ref<string[]>([])

  const q = computed(() => one(route.query.q))
  const sort = computed(() => one(route.query.sort) || DEFAULT_SORT)
  const filters = computed<Record<string, string>>(() =>
    Object.fromEntries(
      fields.map((name): [string, string] => [name, one(route.query[name])]).filter(([, value]) => value),
    ),
  )
  const params = computed<ListParams>(() => {
    const asked: ListParams = { limit: PAGE_SIZE, sort: sort.value, filters: filters.value }
    if (q.value) asked.q = q.value
    const after = cursors.value.at(-1)
    if (after !== undefined) asked.after = after
    return asked
  })
  watch([q, sort, filters], ([, , now], [, , before]) => {
    // `filters` is a new object at every change of the address, also when it says the same.
    if (JSON.stringify(now) === JSON.stringify(before) && cursors.value.length === 0) return
    cursors.value = []
  })

  const query = useQuery({
    queryKey: computed(() => keys.list(kind, params.value)),
    queryFn: async ({ signal }) => {
      const page = await listEntities(kind, params.value, signal)
      const items = page.items.map((item) => live.cache.newest.overlay(kind, item))
      return { ...page, items: items.filter((item) => item !== null) }
    },
    placeholderData: keepPreviousData,
  })

  const items = computed<EntityOf[K][]>(() =>
    (query.data.value?.items ?? []).filter((item) => !deletions.isHidden(kind, item.id)),
  )
  const isFiltered = computed(() => q.value !== '' || Object.keys(filters.value).length > 0)
  const first = computed(() => cursors.value.length * PAGE_SIZE + 1)

  /** Change what the list is asked for; empty removes a condition. */
  function set(name: string, value: string): void {
    const changed = { ...route.query, [name]: value }
    const kept = Object.fromEntries(Object.entries(changed).filter(([, content]) => content))
    void router.replace({ query: kept })
  }

  /** Take conditions away. */
  function clear(names: readonly string[]): void {
    const kept = Object.entries(route.query).filter(([name]) => !names.includes(name))
    void router.replace({ query: Object.fromEntries(kept) })
  }

  function next(): void {
    const cursor = query.data.value?.next
    if (cursor) cursors.value = [...cursors.value, cursor]
  }

  function previous(): void {
    cursors.value = cursors.value.slice(0, -1)
  }

  return {
    kind,
    q,
    sort,
    filters,
    items,
    isFiltered,
    first,
    total: computed(() => {
      const page = query.data.value
      return page ? page.total - (page.items.length - items.value.length) : 0
    }),
    isLoading: query.isPending,
    /** The rows of the last question are shown until those of the new one are here. */
    isReplacing: query.isPlaceholderData,
    /** Only where there is nothing to show: a list that was read before stays on the screen. */
    error: computed(() => (query.data.value ? null : query.error.value)),
    hasNext: computed(() => Boolean(query.data.value?.next)),
    hasPrevious: computed(() => cursors.value.length > 0),
    set,
    clear,
    reset: () => void router.replace({ query: {} }),
    next,
    previous,
    retry: () => void query.refetch(),
  }
}

function one(value: unknown): string {
  const single: unknown = Array.isArray(value) ? value[0] : value
  return typeof single === 'string' ? single : ''
}
