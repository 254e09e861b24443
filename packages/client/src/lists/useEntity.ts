/** One entity of a page, kept true by the events; null once it was deleted. */

import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { ApiError } from '@/api/errors'
import { getEntity } from '@/api/stores'
import type { EntityOf, Kind } from '@/api/types'
import { keys } from '@/live/cache'
import { useLive } from '@/stores/live'

export function useEntity<K extends Kind>(kind: K, id: MaybeRefOrGetter<string | null>) {
  const live = useLive()
  const query = useQuery({
    queryKey: computed(() => keys.entity(kind, toValue(id) ?? '')),
    queryFn: async ({ signal }): Promise<EntityOf[K] | null> => {
      try {
        return live.cache.newest.overlay(kind, await getEntity(kind, toValue(id) ?? '', signal))
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null
        throw error
      }
    },
    enabled: computed(() => toValue(id) !== null),
  })
  return {
    entity: computed(() => query.data.value ?? null),
    isLoading: query.isPending,
    isMissing: computed(() => query.data.value === null),
    error: computed(() => (query.data.value === undefined ? query.error.value : null)),
    retry: () => void query.refetch(),
  }
}
