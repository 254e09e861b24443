/** Names of the entities of a kind, for choosing one and for showing what an id means. */

import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { listEntities, type ListParams } from '@/api/stores'
import { keys } from '@/live/cache'

/** The server's largest page. A shop with more has the newest ones to choose from. */
const MOST: ListParams = { limit: 1000, sort: 'name' }

export function useNames(kind: 'patterns' | 'strip-families') {
  const query = useQuery({
    queryKey: keys.list(kind, MOST),
    queryFn: ({ signal }) => listEntities(kind, MOST, signal),
  })
  const names = computed(() => new Map((query.data.value?.items ?? []).map((item) => [item.id, item.name])))
  return {
    names,
    /** The name, or the beginning of the id where the name is not known. */
    nameOf: (id: string) => names.value.get(id) ?? `${id.slice(0, 8)}…`,
  }
}
