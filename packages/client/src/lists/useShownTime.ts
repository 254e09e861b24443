/** The time that the screen shows: now while it is live, else when it last was. A job may have ended since. */

import { computed, type ComputedRef } from 'vue'
import { useLive } from '@/stores/live'
import { useNow } from './useNow'

/** Milliseconds since 1970. */
export function useShownTime(): ComputedRef<number> {
  const live = useLive()
  const now = useNow()
  return computed(() => (live.isLive || !live.asOf ? now.value : live.asOf.getTime()))
}
