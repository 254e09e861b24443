/** The answer to one question about figures, kept up to date by the events. */

import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getFigures, type Asked } from '@/api/analytics'
import { ApiError } from '@/api/errors'
import { keys } from '@/live/cache'

/** Before the server has said how long: its own suggestion is a second. */
const RETRY_MS = 1000

/** What a chart needs to know about its question. */
export interface FigureState {
  isLoading: boolean
  /** The numbers of the last question are shown until those of the new one are here. */
  isReplacing: boolean
  /** The server is still counting; how often it has said so. 0: it is not. */
  counting: number
  /** Only where there is nothing to show. */
  error: Error | null
  retry: () => void
}

export function useFigures<T>(
  path: MaybeRefOrGetter<string>,
  asked: MaybeRefOrGetter<Asked> = {},
  enabled: MaybeRefOrGetter<boolean> = true,
  /** Asked again so often though nothing has happened, in ms: for what changes as time passes. */
  everyMs: number | false = false,
) {
  const query = useQuery({
    queryKey: computed(() => keys.figure(toValue(path), toValue(asked))),
    queryFn: ({ signal }) => getFigures<T>(toValue(path), toValue(asked), signal),
    placeholderData: keepPreviousData,
    enabled: computed(() => toValue(enabled)),
    refetchInterval: everyMs,
    // While there is much to count, each answer brings the count further: asking on is the way to get there.
    retry: (failures, error) =>
      isCounting(error) || (failures < 2 && error instanceof ApiError && error.isTemporary),
    retryDelay: (failures, error) =>
      error instanceof ApiError && error.retryAfterS !== null
        ? error.retryAfterS * 1000
        : Math.min(RETRY_MS * 2 ** failures, 8000),
  })
  const state = computed<FigureState>(() => ({
    isLoading: query.isPending.value,
    isReplacing: query.isPlaceholderData.value,
    counting: query.isPending.value && isCounting(query.failureReason.value) ? query.failureCount.value : 0,
    error: query.data.value === undefined ? query.error.value : null,
    retry: () => void query.refetch(),
  }))
  return { data: query.data, state }
}

export function isCounting(error: unknown): boolean {
  return error instanceof ApiError && error.status === 503 && error.retryAfterS !== null
}

/** Several questions that one chart needs. */
export function together(...states: readonly FigureState[]): FigureState {
  return {
    isLoading: states.some((state) => state.isLoading),
    isReplacing: states.some((state) => state.isReplacing),
    counting: Math.max(0, ...states.map((state) => state.counting)),
    error: states.find((state) => state.error)?.error ?? null,
    retry: () => states.filter((state) => state.error).forEach((state) => state.retry()),
  }
}
