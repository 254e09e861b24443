/** The app's one connection to the monitor: it keeps the query cache true and says how far it can be trusted. */

import { useQueryClient } from '@tanstack/vue-query'
import { defineStore } from 'pinia'
import { computed, markRaw, ref, watch } from 'vue'
import { useWebSocket } from '@/composables/useWebSocket'
import { LiveCache } from '@/live/cache'
import { trustOf, type Trust } from '@/live/trust'
import { useAccess } from './access'

export const useLive = defineStore('live', () => {
  // A store wraps what it holds in proxies, which know nothing of private members.
  const cache = markRaw(new LiveCache(useQueryClient()))
  const socket = useWebSocket({
    maxReconnectAttempts: Number.POSITIVE_INFINITY,
    jitter: true,
    wakes: true,
    acrossTabs: true,
    // Something is missing between what was seen and what comes: nothing on the screen is certain.
    onGap: () => void cache.distrust(),
  })
  socket.subscribe(['job', 'pattern', 'material'], (event) => cache.applyEvent(event))

  const hasBeenLive = ref(false)
  const trust = computed<Trust>(() => trustOf(socket.state.value, socket.freshness.value, hasBeenLive.value))
  const isLive = computed(() => trust.value === 'live')
  /** When the screen was last known to be the present; null before the first connection. */
  const asOf = ref<Date | null>(null)

  watch(isLive, (live) => {
    if (live && hasBeenLive.value) {
      // What was asked for while the server was away has failed: ask again.
      void cache.refresh()
    }
    if (live) hasBeenLive.value = true
    // A line that went silent was not noticed at once: the present ended with the last frame.
    else if (hasBeenLive.value) asOf.value = new Date(Date.now() - socket.silenceMs())
  })

  // The monitor ends what may not go on, and lets back in who may do something else now.
  const access = useAccess()
  watch(
    () => socket.state.value.name,
    (name) => {
      if (name === 'abandoned' || (name === 'open' && hasBeenLive.value)) void access.ask()
    },
  )

  /** Try to connect now. A failed attempt is told by `trust`, and further ones follow by themselves. */
  async function connect(): Promise<void> {
    await socket.connect().catch(() => undefined)
  }

  return { cache, trust, isLive, asOf, connect, replay: socket.replay }
})
