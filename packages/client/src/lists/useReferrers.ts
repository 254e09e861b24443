/** Who refers to an entity, by name: what has to be unlinked before it can go. */

import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { listEntities } from '@/api/stores'
import type { Kind } from '@/api/types'
import { t, wordFor } from '@/i18n'
import { keys } from '@/live/cache'

interface ReferrerGroup {
  kind: 'patterns' | 'joblogs'
  total: number
  /** The first few. */
  names: string[]
}

/** Names told; more would not be read. */
const SHOWN = 5

export function useReferrers(target: MaybeRefOrGetter<{ kind: Kind; id: string } | null>) {
  const of = computed(() => toValue(target))
  const query = useQuery({
    queryKey: computed(() => keys.referrers(of.value?.kind, of.value?.id)),
    queryFn: async ({ signal }): Promise<ReferrerGroup[]> => {
      if (!of.value) return []
      const { kind, id } = of.value
      const filters: Record<string, string> =
        kind === 'patterns' ? { pattern_id: id } : { strip_family_id: id }
      const asked = { limit: SHOWN, filters }
      const jobs = await listEntities('joblogs', asked, signal)
      const patterns = kind === 'strip-families' ? await listEntities('patterns', asked, signal) : null
      const groups: ReferrerGroup[] = [
        {
          kind: 'patterns',
          total: patterns?.total ?? 0,
          names: patterns?.items.map(({ name }) => name) ?? [],
        },
        {
          kind: 'joblogs',
          total: jobs.total,
          names: jobs.items.map((job) => wordFor(t.jobs.types, job.job_type)),
        },
      ]
      return groups.filter((group) => group.total > 0)
    },
    enabled: computed(() => of.value !== null),
    staleTime: 0,
  })
  return { referrers: computed(() => query.data.value ?? []) }
}
