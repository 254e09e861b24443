/** What LiveMonitor shows and does, without how it looks: connection, filters, stream, search, selection. */

import { CATEGORIES, type Category, type Environment, type Gap } from '@rmos/monitor-core'
import { computed, onMounted, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { hasWords, wordsOf } from '@/components/rmos/eventSearch'
import { text } from '@/components/rmos/text'
import { formatTime } from '@/i18n/format'
import { useEventStream, type EventItem, type EventStream, type StreamItem } from './useEventStream'
import { useNarrowing, widens, type Narrowing } from './useNarrowing'
import { useTitleBadge } from './useTitleBadge'
import { useWebSocket, type UseWebSocketReturn } from './useWebSocket'

export interface LiveMonitorOptions {
  /** Address of the monitor; left out: the page's own host. */
  readonly url: string | undefined
  /** Most items kept on the screen. */
  readonly capacity: number
  /** How many events before the newest to begin with. */
  readonly last: number
  readonly autoConnect: boolean
  /** Whether to share the connection with other tabs, see `UseWebSocketOptions`. */
  readonly acrossTabs: boolean
  readonly environment: Environment | undefined
}

export interface LiveMonitor {
  readonly socket: UseWebSocketReturn
  readonly stream: EventStream
  /** Checked categories; none checked shows all. */
  readonly checked: Ref<Category[]>
  readonly query: Ref<string>
  readonly narrowing: Narrowing
  /** What the filters and the search leave of the stream. */
  readonly visible: ComputedRef<readonly StreamItem[]>
  /** When the screen was last known to be the present; null while it is, or never was. */
  readonly asOf: Ref<Date | null>
  readonly selected: Ref<EventItem | null>
  /** Connect, or let go of the connection. */
  readonly toggle: () => void
  /** Select the event `steps` further (negative: back) among the visible ones; from none to the newest. */
  readonly move: (steps: number) => void
}

export function useLiveMonitor(options: LiveMonitorOptions): LiveMonitor {
  const { url, capacity, last, autoConnect, acrossTabs, environment } = options
  const stream = useEventStream(capacity)
  const socket = useWebSocket({
    ...(url !== undefined && { url }),
    ...(environment !== undefined && { environment }),
    maxReconnectAttempts: Infinity,
    jitter: true,
    wakes: true,
    acrossTabs,
    onGap: (gap) =>
      stream.mark('gap', describeGap(gap, lastSeen(), wanted.value.length === CATEGORIES.length)),
    onConflated: ({ count }) => stream.mark('note', text.leftOut(count)),
    onError: (error) => stream.mark('note', text.trouble(error.message)),
  })
  const checked = ref<Category[]>([])
  const query = ref('')
  const narrowing = useNarrowing(() => stream.items.value)
  const selected = shallowRef<EventItem | null>(null)
  const wanted = computed(() => (checked.value.length === 0 ? CATEGORIES : CATEGORIES.filter(isChecked)))

  /** When the newest event on the screen happened; null while there is none. */
  function lastSeen(): Date | null {
    const item = stream.items.value.findLast((candidate) => candidate.kind === 'event')
    return item?.kind === 'event' ? new Date(item.event.timestamp) : null
  }

  function isChecked(category: Category): boolean {
    return checked.value.includes(category)
  }

  let stop = socket.subscribe([...wanted.value], stream.push, { last })
  watch([wanted, narrowing.wish], ([now, wish], [before, wishBefore]) => {
    // The new one first, so that the connection is never without and nothing falls between the two.
    const next = socket.subscribe([...now], stream.push, {
      ...(wish.channels && { channels: wish.channels }),
      ...(wish.types && { types: wish.types }),
      mode: wish.mode,
    })
    stop()
    stop = next
    const asksMore = now.some((category) => !before.includes(category)) || widens(wishBefore, wish)
    if (asksMore && stream.items.value.length > 0) {
      const names = now.map((category) => text.category[category])
      const picked = [...(wish.channels ?? []), ...(wish.types ?? [])]
      const isAll = now.length === CATEGORIES.length
      stream.mark(
        'note',
        text.filterChanged(isAll ? (picked.length > 0 ? picked : [text.everything]) : [...names, ...picked]),
      )
    }
  })

  const visible = computed(() => {
    const words = wordsOf(query.value)
    const isWhole = words.length === 0 && wanted.value.length === CATEGORIES.length
    const narrowed = narrowing.narrow(stream.items.value)
    if (isWhole) return narrowed
    return narrowed.filter((item) =>
      item.kind === 'mark'
        ? words.length === 0
        : wanted.value.includes(item.event.category) && hasWords(item.event, words),
    )
  })

  const asOf = ref<Date | null>(null)
  const isLive = computed(() => socket.state.value.name === 'open' && socket.freshness.value !== 'stale')
  // A line that is found silent has been so for a while: what is shown is as old as the last frame.
  watch(isLive, (live) => (asOf.value = live ? null : new Date(Date.now() - socket.silenceMs())))

  function connect(): void {
    // A failed attempt is told by the state, and others follow.
    void socket.connect().catch(() => undefined)
  }

  function toggle(): void {
    const { name } = socket.state.value
    if (name === 'idle' || name === 'abandoned') connect()
    else socket.disconnect()
  }

  function move(steps: number): void {
    const events = visible.value.filter((item) => item.kind === 'event')
    const index = events.findIndex((item) => item.key === selected.value?.key)
    const next = index < 0 ? events.length - 1 : Math.min(events.length - 1, Math.max(0, index + steps))
    selected.value = events[next] ?? selected.value
  }

  useTitleBadge(stream.received)
  onMounted(() => {
    if (autoConnect) connect()
  })

  return { socket, stream, checked, query, narrowing, visible, asOf, selected, toggle, move }
}

/** `lastSeen`: when the last event before the gap happened. `isAll`: whether nothing is filtered out. */
function describeGap({ reason, from, to }: Gap, lastSeen: Date | null, isAll: boolean): string {
  if (reason === 'expired' && from !== null && to?.epoch === from.epoch && lastSeen !== null) {
    return text.gap.forgotten(to.offset - from.offset, isAll, formatTime(lastSeen), formatTime(new Date()))
  }
  const known = reason === 'epoch_changed' || reason === 'expired' || reason === 'future_cursor'
  const why = known ? text.gap[reason] : text.gap.other(reason)
  return from !== null && to !== null && from.epoch === to.epoch
    ? `${why} ${text.range(text.number(from.offset), text.number(to.offset))}`
    : why
}
