/**
 * What a reader picks out of the stream: machines, projects and types that were seen in it, and whether of several updates of
 * one thing the latest is enough.
 *
 * Rule 1: only what was seen can be picked, so that nothing has to be typed; what is picked stays to be taken off.
 * Rule 2: what is on the screen is narrowed at once; the server is asked for no more than that.
 */

import type { MonitorEvent } from '@rmos/monitor-core'
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { EventItem, StreamItem } from './useEventStream'

/** Names that can be picked: as many as a person looks through. The server takes a hundred of each. */
export const MOST_NAMES = 40

export interface Wish {
  /** Undefined: not narrowed. */
  readonly channels: readonly string[] | undefined
  readonly types: readonly string[] | undefined
  readonly mode: 'stream' | 'latest'
}

export interface Narrowing {
  /** Picked names; none picked shows all. */
  readonly channels: Ref<string[]>
  readonly types: Ref<string[]>
  readonly isLatest: Ref<boolean>
  /** Names that were seen, in order. */
  readonly seenChannels: ComputedRef<readonly string[]>
  readonly seenTypes: ComputedRef<readonly string[]>
  readonly isNarrowed: ComputedRef<boolean>
  readonly wish: ComputedRef<Wish>
  /** What the wish leaves of these items. Marks stay. */
  readonly narrow: (items: readonly StreamItem[]) => readonly StreamItem[]
  readonly reset: () => void
}

/** `items`: the stream, oldest first, keys rising. */
export function useNarrowing(items: () => readonly StreamItem[]): Narrowing {
  const channels = ref<string[]>([])
  const types = ref<string[]>([])
  const isLatest = ref(false)
  const seen = shallowRef<{ channels: readonly string[]; types: readonly string[] }>({
    channels: [],
    types: [],
  })
  let lastKey = 0

  watch(
    items,
    (now) => {
      const fresh: MonitorEvent[] = []
      for (let index = now.length - 1; index >= 0; index -= 1) {
        const item = now[index]
        if (item === undefined || item.key <= lastKey) break
        if (item.kind === 'event') fresh.push(item.event)
      }
      lastKey = now.at(-1)?.key ?? lastKey
      const next = {
        channels: grown(seen.value.channels, fresh, ({ channels: names }) => names),
        types: grown(seen.value.types, fresh, ({ type }) => [type]),
      }
      if (next.channels !== seen.value.channels || next.types !== seen.value.types) seen.value = next
    },
    { immediate: true },
  )

  const isNarrowed = computed(() => channels.value.length > 0 || types.value.length > 0 || isLatest.value)

  function isWanted({ event }: EventItem): boolean {
    const onChannel =
      channels.value.length === 0 || event.channels.some((name) => channels.value.includes(name))
    return onChannel && (types.value.length === 0 || types.value.includes(event.type))
  }

  return {
    channels,
    types,
    isLatest,
    seenChannels: computed(() => seen.value.channels),
    seenTypes: computed(() => seen.value.types),
    isNarrowed,
    wish: computed(() => ({
      channels: channels.value.length === 0 ? undefined : [...channels.value],
      types: types.value.length === 0 ? undefined : [...types.value],
      mode: isLatest.value ? 'latest' : 'stream',
    })),
    narrow: (all) => {
      if (!isNarrowed.value) return all
      const wanted = all.filter((item) => item.kind === 'mark' || isWanted(item))
      return isLatest.value ? latestOf(wanted) : wanted
    },
    reset: () => {
      channels.value = []
      types.value = []
      isLatest.value = false
    },
  }
}

/** Whether `now` asks for something that `before` left out. */
export function widens(before: Wish, now: Wish): boolean {
  return (
    isMore(before.channels, now.channels) ||
    isMore(before.types, now.types) ||
    (before.mode === 'latest' && now.mode === 'stream')
  )
}

function isMore(before: readonly string[] | undefined, now: readonly string[] | undefined): boolean {
  return before !== undefined && (now === undefined || now.some((name) => !before.includes(name)))
}

/** The same list where nothing is new. */
function grown(
  known: readonly string[],
  events: readonly MonitorEvent[],
  namesOf: (event: MonitorEvent) => readonly string[],
): readonly string[] {
  if (known.length >= MOST_NAMES) return known
  const names = new Set(known)
  for (const event of events) for (const name of namesOf(event)) if (names.size < MOST_NAMES) names.add(name)
  return names.size === known.length ? known : [...names].sort()
}

/** Of the updates of each thing the newest one, saying how many it stands for; the server leaves out no others either. */
function latestOf(items: readonly StreamItem[]): StreamItem[] {
  const counts = new Map<string, number>()
  const kept: StreamItem[] = []
  for (const item of items.toReversed()) {
    const key = item.kind === 'event' ? conflationKey(item.event) : null
    if (key === null) {
      kept.push(item)
      continue
    }
    const before = counts.get(key)
    counts.set(key, (before ?? 0) + 1)
    if (before === undefined) kept.push(item)
  }
  return kept.reverse().map((item) => {
    const key = item.kind === 'event' ? conflationKey(item.event) : null
    const count = key === null ? 1 : (counts.get(key) ?? 1)
    return item.kind === 'event' && count > 1 ? { ...item, conflated: count } : item
  })
}

/** What an update is told apart by; null for what is never left out. */
function conflationKey({ type, key }: MonitorEvent): string | null {
  return key !== null && type.endsWith(':updated') ? key : null
}
