/** What an analytics page is asked for, read from the address and changed through it. */

import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useNow } from '@/lists/useNow'
import { boundsOf, changed, isOfAllTime as asksForAllTime, one, periodOf } from './urlState'

/** What jobs can be limited to, as the server names it. */
export const FILTERS = ['machine_id', 'project_id', 'job_type', 'pattern_id'] as const
export type Filter = (typeof FILTERS)[number]

export function useView() {
  const route = useRoute()
  const router = useRouter()
  const now = useNow()
  /** Days of the figures are days in UTC. */
  const today = computed(() => new Date(now.value).toISOString().slice(0, 10))
  const query = computed(() => route.query)
  const period = computed(() => periodOf(route.query, today.value))
  const isOfAllTime = computed(() => asksForAllTime(route.query))
  const bounds = computed(() => boundsOf(period.value, today.value))
  const filters = computed(() =>
    Object.fromEntries(
      FILTERS.map((name) => [name, one(route.query, name)] as const).filter(([, value]) => value !== ''),
    ),
  )

  function set(changes: Record<string, string | number | null>): void {
    void router.replace({ query: changed(route.query, changes) })
  }

  /** The jobs behind a mark of a chart. */
  function showJobs(conditions: Record<string, string | null | undefined>): void {
    const given = Object.entries(conditions).filter(([, value]) => value)
    void router.push({ path: '/jobs', query: Object.fromEntries(given) })
  }

  return {
    query,
    today,
    period,
    /** The period as the server is asked for it. */
    window: computed(() => ({ days: period.value.days, until: period.value.until })),
    /** On pages that can show all time. */
    isOfAllTime,
    /** As `window`, on such pages. */
    windowOrAll: computed(() => (isOfAllTime.value ? {} : { ...period.value })),
    bounds,
    filters,
    set,
    showJobs,
    open: (path: string) => void router.push(path),
  }
}

export type View = ReturnType<typeof useView>
