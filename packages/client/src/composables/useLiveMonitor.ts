/** What LiveMonitor shows and does, without how it looks: connection, filters, stream, search, selection. */

import { CATEGORIES, type Category, type Environment, type Gap } from '@rmos/monitor-core'
import { computed, onMounted, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { summaryOf } from '@/components/rmos/eventSummary'
import { text } from '@/components/rmos/text'
import { useEventStream, type EventItem, type EventStream, type StreamItem } from './useEventStream'
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
  readonly environment: Environment | undefined
}

export interface LiveMonitor {
  readonly socket: UseWebSocketReturn
  readonly stream: EventStream
  /** Checked categories; none checked shows all. */
  readonly checked: Ref<Category[]>
  readonly query: Ref<string>
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
  const { url, capacity, last, autoConnect, environment } = options
  const stream = useEventStream(capacity)
  const socket = useWebSocket({
    ...(url !== undefined && { url }),
    ...(environment !== undefined && { environment }),
    maxReconnectAttempts: Infinity,
    jitter: true,
    wakes: true,
    onGap: (gap) => stream.mark('gap', describeGap(gap)),
    onError: (error) => stream.mark('note', text.trouble(error.message)),
  })
  const checked = ref<Category[]>([])
  const query = ref('')
  const selected = shallowRef<EventItem | null>(null)
  const wanted = computed(() => (checked.value.length === 0 ? CATEGORIES : CATEGORIES.filter(isChecked)))

  function isChecked(category: Category): boolean {
    return checked.value.includes(category)
  }

  let stop = socket.subscribe([...wanted.value], stream.push, { last })
  watch(wanted, (now, before) => {
    // The new one first, so that the connection is never without and nothing falls between the two.
    const next = socket.subscribe([...now], stream.push)
    stop()
    stop = next
    if (now.some((category) => !before.includes(category)) && stream.items.value.length > 0) {
      const names = now.map((category) => text.category[category])
      stream.mark('note', text.filterChanged(now.length === CATEGORIES.length ? [text.everything] : names))
    }
  })

  const visible = computed(() => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean)
    const isWhole = words.length === 0 && wanted.value.length === CATEGORIES.length
    if (isWhole) return stream.items.value
    return stream.items.value.filter((item) =>
      item.kind === 'mark'
        ? words.length === 0
        : wanted.value.includes(item.event.category) &&
          words.every((word) => searchText(item).includes(word)),
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

  return { socket, stream, checked, query, visible, asOf, selected, toggle, move }
}

/** What a search looks at, made when it is first needed. */
const searchTexts = new WeakMap<EventItem, string>()

function searchText(item: EventItem): string {
  const known = searchTexts.get(item)
  if (known !== undefined) return known
  const { type, key, actor, channels, data } = item.event
  const made = [type, key, actor, ...channels, summaryOf(item.event), JSON.stringify(data)]
    .join(' ')
    .toLowerCase()
  searchTexts.set(item, made)
  return made
}

function describeGap({ reason, from, to }: Gap): string {
  const known = reason === 'epoch_changed' || reason === 'expired' || reason === 'future_cursor'
  const why = known ? text.gap[reason] : text.gap.other(reason)
  return from !== null && to !== null && from.epoch === to.epoch
    ? `${why} ${text.range(text.number(from.offset), text.number(to.offset))}`
    : why
}
