/**
 * The events on the screen: a bounded list that takes in thousands a second.
 *
 * Rule 1: what arrives is collected and put on the screen once a frame.
 * Rule 2: the newest `capacity` items are kept; how many were dropped is counted, never hidden.
 * Rule 3: snapshots that follow each other take one row, the newest: each makes the one before it worthless, and a quiet
 *         night would fill the screen with them.
 * Rule 4: while paused nothing on the screen moves; what arrives waits, under the same bound.
 */

import type { MonitorEvent } from '@rmos/monitor-core'
import { onScopeDispose, ref, shallowReadonly, shallowRef, type Ref } from 'vue'

/** Keys rise with the order in the stream and are never used again. */
export interface EventItem {
  readonly kind: 'event'
  readonly key: number
  readonly event: MonitorEvent
  /** How many snapshots in a row this one stands for; 1 for everything else. */
  readonly repeats: number
  /** How many updates of its thing this one stands for, where only the latest is shown. */
  readonly conflated?: number
}

/** A remark between events. */
export interface MarkItem {
  readonly kind: 'mark'
  readonly key: number
  /** `gap`: events are missing here. */
  readonly tone: 'gap' | 'note'
  readonly text: string
}

export type StreamItem = EventItem | MarkItem

export interface EventStream {
  /** Oldest first. */
  readonly items: Readonly<Ref<readonly StreamItem[]>>
  /** Events taken in by type since the last `clear`, dropped ones included. */
  readonly counts: Readonly<Ref<ReadonlyMap<string, number>>>
  /** Events dropped since the last `clear` because there were too many. */
  readonly dropped: Readonly<Ref<number>>
  readonly isPaused: Readonly<Ref<boolean>>
  /** Events that wait for the end of the pause. */
  readonly waiting: Readonly<Ref<number>>
  /** Events that ever arrived, waiting ones included. */
  readonly received: Readonly<Ref<number>>
  readonly push: (event: MonitorEvent) => void
  readonly mark: (tone: MarkItem['tone'], text: string) => void
  readonly pause: () => void
  readonly resume: () => void
  /** Take everything off the screen. Returns how many events that were. */
  readonly clear: () => number
  /** Put back what `clear` took, before what came since. */
  readonly undoClear: () => void
}

/** Longest wait for a frame, in milliseconds: a hidden tab draws none, yet its counts go on. */
const LONGEST_WAIT_MS = 250
/** Types counted one by one; a program that invents names without end is counted by category beyond that. */
const MAX_TYPES = 100

export function useEventStream(capacity: number): EventStream {
  const items = shallowRef<readonly StreamItem[]>([])
  const counts = shallowRef<ReadonlyMap<string, number>>(new Map())
  const dropped = ref(0)
  const isPaused = ref(false)
  const waiting = ref(0)
  const received = ref(0)
  let nextKey = 1
  let arrived: StreamItem[] = []
  let arrivedDropped = 0
  let arrivedEvents = 0
  let arrivedTypes = new Map<string, number>()
  let cleared: { items: readonly StreamItem[]; counts: ReadonlyMap<string, number>; dropped: number } | null =
    null
  const frame = useFrame(flush)

  function push(event: MonitorEvent): void {
    arrived.push({ kind: 'event', key: nextKey++, event, repeats: 1 })
    arrivedEvents += 1
    arrivedTypes.set(event.type, (arrivedTypes.get(event.type) ?? 0) + 1)
    // Cut in large steps: moving the rest of a list costs as much for one item as for many.
    if (arrived.length > 2 * capacity) arrivedDropped += cut()
    frame.request()
  }

  function mark(tone: MarkItem['tone'], text: string): void {
    arrived.push({ kind: 'mark', key: nextKey++, tone, text })
    frame.request()
  }

  function cut(): number {
    const gone = arrived.slice(0, -capacity)
    arrived = arrived.slice(-capacity)
    return eventsIn(gone)
  }

  function flush(): void {
    received.value += arrivedEvents
    if (isPaused.value) {
      waiting.value += arrivedEvents
      arrivedEvents = 0
      return
    }
    arrivedEvents = 0
    if (arrived.length === 0) return
    let next = joinSnapshots(items.value, arrived)
    if (next.length > capacity) {
      arrivedDropped += eventsIn(next.slice(0, -capacity))
      next = next.slice(-capacity)
    }
    items.value = next
    counts.value = addCounts(counts.value, arrivedTypes)
    dropped.value += arrivedDropped
    arrived = []
    arrivedDropped = 0
    arrivedTypes = new Map()
  }

  function resume(): void {
    frame.flush()
    isPaused.value = false
    waiting.value = 0
    flush()
  }

  function clear(): number {
    const n = eventsIn(items.value)
    cleared = { items: items.value, counts: counts.value, dropped: dropped.value }
    items.value = []
    counts.value = new Map()
    dropped.value = 0
    return n
  }

  function undoClear(): void {
    if (cleared === null) return
    const all = [...cleared.items, ...items.value]
    items.value = all.slice(-capacity)
    dropped.value += cleared.dropped + eventsIn(all.slice(0, -capacity))
    counts.value = addCounts(cleared.counts, counts.value)
    cleared = null
  }

  return {
    items: shallowReadonly(items),
    counts: shallowReadonly(counts),
    dropped: shallowReadonly(dropped),
    isPaused: shallowReadonly(isPaused),
    waiting: shallowReadonly(waiting),
    received: shallowReadonly(received),
    push,
    mark,
    pause: () => {
      frame.flush()
      isPaused.value = true
    },
    resume,
    clear,
    undoClear,
  }
}

/** Both lists in one, with rule 3. */
function joinSnapshots(shown: readonly StreamItem[], arrived: readonly StreamItem[]): StreamItem[] {
  const all = shown.slice()
  for (const item of arrived) {
    const last = all.at(-1)
    if (last !== undefined && isSnapshot(last) && isSnapshot(item)) {
      all[all.length - 1] = { ...item, repeats: last.repeats + 1 }
    } else {
      all.push(item)
    }
  }
  return all
}

function isSnapshot(item: StreamItem): item is EventItem {
  return item.kind === 'event' && item.event.type === 'metrics:snapshot'
}

/** How many of the items are events. */
export function eventsIn(items: readonly StreamItem[]): number {
  return items.reduce((n, item) => n + (item.kind === 'event' ? 1 : 0), 0)
}

function addCounts(
  known: ReadonlyMap<string, number>,
  more: ReadonlyMap<string, number>,
): Map<string, number> {
  const sum = new Map(known)
  for (const [type, n] of more) {
    const name = sum.has(type) || sum.size < MAX_TYPES ? type : `${type.split(':')[0]}:…`
    sum.set(name, (sum.get(name) ?? 0) + n)
  }
  return sum
}

/** Run `draw` once in the next frame, or soon where no frames are drawn. */
function useFrame(draw: () => void): { request: () => void; flush: () => void } {
  let animation: number | null = null
  let timer: ReturnType<typeof setTimeout> | null = null

  function cancel(): void {
    if (animation !== null) cancelAnimationFrame(animation)
    if (timer !== null) clearTimeout(timer)
    animation = timer = null
  }

  function flush(): void {
    cancel()
    draw()
  }

  onScopeDispose(cancel)
  return {
    request: () => {
      if (timer !== null) return
      timer = setTimeout(flush, LONGEST_WAIT_MS)
      animation = requestAnimationFrame(flush)
    },
    flush,
  }
}
