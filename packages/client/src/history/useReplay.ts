/**
 * A replay as a screen shows it: what was replayed, how far it is, and why nothing comes just now.
 *
 * Rule 1: the time that is reached goes on by itself between two words of the server, and never past the end.
 * Rule 2: after a jump the list begins anew: what stood there belongs to another moment.
 */

import type {
  Category,
  MonitorError,
  MonitorEvent,
  Replay,
  ReplaySpeed,
  ReplayStatus,
} from '@rmos/monitor-core'
import { computed, onScopeDispose, ref, shallowReadonly, shallowRef } from 'vue'
import { useEventStream } from '@/composables/useEventStream'
import { useLive } from '@/stores/live'
import type { Ends } from './useHistory'
import type { Span } from './localTime'

/** Replayed events that are kept on the screen. */
const CAPACITY = 1000
/** How often the time goes on, in milliseconds. */
const TICK_MS = 200
/** How long before the next event a skipped wait ends, in milliseconds of the log: clocks are not exact. */
const LEAD_MS = 500
export const SPEEDS: readonly ReplaySpeed[] = [1, 10, 60, 300, 1000, 'max']
/** An hour in a minute: a shift in eight. */
const DEFAULT_SPEED: ReplaySpeed = 60

export type ReplayControl = ReturnType<typeof useReplay>

export function useReplay(
  span: () => Span,
  ends: () => Ends | null,
  filters: () => readonly Category[] | undefined,
) {
  const live = useLive()
  const stream = useEventStream(CAPACITY)
  const status = shallowRef<ReplayStatus | null>(null)
  const failure = shallowRef<MonitorError | null>(null)
  const speed = ref<ReplaySpeed>(DEFAULT_SPEED)
  /** Whether it was ended from here. */
  const isStopped = ref(false)
  /** The time in the log that was last known to be reached, and when that was. In milliseconds since 1970. */
  const known = shallowRef({ then: 0, at: 0 })
  const now = ref(Date.now())
  let replay: Replay | null = null

  const start = computed(() => Date.parse(ends()?.cutAt ?? span().from))
  /** The replay ends with the log as it was found, however late the span does. */
  const end = computed(() =>
    ends() === null ? start.value : Math.max(start.value, Math.min(Date.parse(span().to), Date.now())),
  )
  const isPlaying = computed(() => status.value?.state === 'playing')
  const reached = computed(() => {
    if (status.value === null) return start.value
    if (status.value.state === 'finished') return end.value
    const { then, at } = known.value
    const pace = isPlaying.value && typeof status.value.speed === 'number' ? status.value.speed : 0
    return clamp(then + (now.value - at) * pace)
  })

  const timer = setInterval(() => (now.value = Date.now()), TICK_MS)

  function clamp(time: number): number {
    return Math.min(end.value, Math.max(start.value, time))
  }

  function know(then: number): void {
    now.value = Date.now()
    known.value = { then, at: now.value }
  }

  function begin(at = start.value): void {
    const found = ends()
    if (found === null) return
    stream.clear()
    failure.value = null
    isStopped.value = false
    know(at)
    // A cut log knows no time before its first event; there the place itself has to do.
    const from = at > start.value || found.cutAt === null ? placeAt(at) : found.from.cursor
    const wanted = filters()
    replay = live.replay(
      { from, to: found.to.cursor, speed: speed.value, ...(wanted && { filters: wanted }) },
      { onEvent: take, onStatus: hear, onError: (error) => (failure.value = error) },
    )
    status.value = replay.status
  }

  function take(event: MonitorEvent): void {
    stream.push(event)
    if (status.value?.speed === 'max') know(Date.parse(event.timestamp))
  }

  function hear(told: ReplayStatus): void {
    if (told.time !== null) know(Date.parse(told.time))
    else know(reached.value)
    status.value = told
  }

  function toggle(): void {
    if (replay === null || isOver.value)
      begin(status.value?.state === 'stopped' ? reached.value : start.value)
    else if (status.value?.state === 'paused') replay.resume()
    else replay.pause()
  }

  /** Go on from there; `at` in milliseconds since 1970. Where nothing runs it begins there. */
  function seek(at: number): void {
    if (replay === null || isOver.value) {
      begin(clamp(at))
      return
    }
    stream.clear()
    goTo(replay, clamp(at))
  }

  /** Pass over the wait for the next event. */
  function skip(): void {
    if (replay !== null && quiet.value) goTo(replay, reached.value + quiet.value.logS * 1000 - LEAD_MS)
  }

  function goTo(running: Replay, at: number): void {
    know(at)
    running.seek(placeAt(at))
  }

  function setSpeed(next: ReplaySpeed): void {
    speed.value = next
    if (!isOver.value) replay?.setSpeed(next)
  }

  /** End it and forget what it showed. */
  function stop(): void {
    isStopped.value = true
    replay?.stop()
    replay = null
    status.value = null
    stream.clear()
  }

  const isOver = computed(() => status.value?.state === 'finished' || status.value?.state === 'stopped')
  /** A wait that was told and is not over, in seconds: of the log, and of the clock. Null for none. */
  const quiet = computed(() => {
    const told = status.value
    if (!isPlaying.value || told === null || told.waitS === 0 || typeof told.speed !== 'number') return null
    const left = told.waitS - (now.value - known.value.at) / 1000
    return left > 0 ? { logS: left * told.speed, waitS: left } : null
  })

  onScopeDispose(() => {
    clearInterval(timer)
    replay?.stop()
  })

  return {
    items: stream.items,
    status: shallowReadonly(status),
    failure: shallowReadonly(failure),
    speed: shallowReadonly(speed),
    /** Whether another replay of this browser ended it. */
    isSuperseded: computed(
      () => status.value?.state === 'stopped' && !isStopped.value && failure.value === null,
    ),
    isPlaying,
    isOver,
    quiet,
    /** Milliseconds since 1970. */
    start,
    end,
    reached,
    toggle,
    seek,
    skip,
    setSpeed,
    stop,
  }
}

/** The place just before a time (in milliseconds since 1970): what happens at that time is replayed. */
function placeAt(time: number): string {
  return new Date(time - 1).toISOString()
}
