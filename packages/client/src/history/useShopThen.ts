/** The shop as it was at one moment: all of its patterns, jobs and strip families. */

import { onScopeDispose, ref, shallowReadonly, shallowRef, watch, type Ref } from 'vue'
import { ApiError } from '@/api/errors'
import { readState, type Place } from '@/api/history'
import type { Job, Pattern, StripFamily } from '@/api/types'

const PAGE_SIZE = 1000
/** Things that are read; a browser lists and searches so many with ease. */
export const MOST_THINGS = 20_000

export interface Shop {
  readonly at: Place
  readonly patterns: readonly Pattern[]
  readonly joblogs: readonly Job[]
  readonly 'strip-families': readonly StripFamily[]
  /** Whether there were more than `MOST_THINGS`. */
  readonly isCut: boolean
}

/**
 * * `expired`: the log does not go back so far
 * * `future`: the moment is not over
 * * `replaced`: a place of another log
 * * `failed`: for another reason, in `error`
 */
export type ShopPhase = 'loading' | 'ready' | 'expired' | 'future' | 'replaced' | 'forbidden' | 'failed'

const PHASES: Readonly<Record<number, ShopPhase>> = {
  403: 'forbidden',
  409: 'replaced',
  410: 'expired',
  422: 'future',
}

export interface ShopThen {
  readonly phase: Readonly<Ref<ShopPhase>>
  readonly error: Readonly<Ref<unknown>>
  /** What was read last; null before anything was. */
  readonly shop: Readonly<Ref<Shop | null>>
  readonly retry: () => void
}

/** `at`: a time (RFC 3339) or a cursor. */
export function useShopThen(at: () => string): ShopThen {
  const phase = ref<ShopPhase>('loading')
  const error = shallowRef<unknown>(null)
  const shop = shallowRef<Shop | null>(null)
  let running: AbortController | null = null

  async function load(): Promise<void> {
    running?.abort()
    const { signal } = (running = new AbortController())
    phase.value = 'loading'
    try {
      const read = await readShop(at(), signal)
      if (signal.aborted) return
      shop.value = read
      phase.value = 'ready'
    } catch (cause) {
      if (signal.aborted) return
      error.value = cause
      phase.value = (cause instanceof ApiError && PHASES[cause.status]) || 'failed'
    }
  }

  watch(at, () => void load(), { immediate: true })
  onScopeDispose(() => running?.abort())
  return {
    phase: shallowReadonly(phase),
    error: shallowReadonly(error),
    shop: shallowReadonly(shop),
    retry: () => void load(),
  }
}

async function readShop(at: string, signal: AbortSignal): Promise<Shop> {
  const patterns: Pattern[] = []
  const joblogs: Job[] = []
  const families: StripFamily[] = []
  let page = await readState({ at, limit: PAGE_SIZE }, signal)
  for (;;) {
    patterns.push(...page.patterns)
    joblogs.push(...page.joblogs)
    families.push(...page.strip_families)
    const isFull = patterns.length + joblogs.length + families.length >= MOST_THINGS
    if (page.next === null || isFull) break
    page = await readState({ after: page.next, limit: PAGE_SIZE }, signal)
  }
  return { at: page.at, patterns, joblogs, 'strip-families': families, isCut: page.next !== null }
}
