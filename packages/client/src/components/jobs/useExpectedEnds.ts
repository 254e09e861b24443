/** When the running jobs will be done, by id. Asked for only while it is wanted. */

import { computed, type MaybeRefOrGetter } from 'vue'
import type { ExpectedEnds } from '@/api/analytics'
import { useFigures } from '@/analytics/useFigures'

/** A job without news still gets later. */
const AGAIN_MS = 30_000

export function useExpectedEnds(wanted: MaybeRefOrGetter<boolean>) {
  const { data, state } = useFigures<ExpectedEnds>('jobs/eta', {}, wanted, AGAIN_MS)
  return { ends: computed(() => new Map((data.value?.jobs ?? []).map(({ id, eta }) => [id, eta]))), state }
}
