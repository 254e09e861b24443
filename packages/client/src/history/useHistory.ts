/**
 * The events of a span of the past, page by page, narrowed by category and by words.
 *
 * Rule 1: a span is two places of the log, found once: what happens meanwhile changes no page.
 * Rule 2: a part of the span that is not kept any more is told, and the rest is shown.
 * Rule 3: the server knows categories, words are looked for here: a search reads on until a page is full, and stops
 *         after `MOST_LOOKED` events to ask.
 */

import { CATEGORIES, formatCursor, parseCursor, type Category, type MonitorEvent } from '@rmos/monitor-core'
import {
  computed,
  onScopeDispose,
  ref,
  shallowReadonly,
  shallowRef,
  watch,
  type ComputedRef,
  type Ref,
} from 'vue'
import { ApiError } from '@/api/errors'
import { findPlace, readEvents, type Place } from '@/api/history'
import { hasWords, wordsOf } from '@/components/rmos/eventSearch'
import type { Span } from './localTime'

/** Events on a page: enough to scroll, few enough for a tablet. */
export const PAGE_SIZE = 50
/** Events asked for at a time while words are looked for; the server gives no more at once. */
const SEARCH_LIMIT = 1000
/** Events looked through for one page; a second or two of work. */
export const MOST_LOOKED = 10_000
/** A pause in typing after which the server is asked, in milliseconds. */
const TYPING_MS = 250

/** A span as places of the log. */
export interface Ends {
  /** The events after this place … */
  readonly from: Place
  /** … up to this one. */
  readonly to: Place
  /** When the log begins, where that is later than the span does; otherwise null. */
  readonly cutAt: string | null
}

/**
 * * `expired`: nothing of the span is kept any more
 * * `forbidden`: this user may not read the log
 * * `failed`: for another reason, in `error`
 */
export type HistoryPhase = 'loading' | 'ready' | 'expired' | 'forbidden' | 'failed'

interface Page {
  readonly events: readonly MonitorEvent[]
  /** Cursor after which the next page begins; null when this is the last. */
  readonly next: string | null
  /** Where a search stopped to ask, and how many it had looked through; null for none that did. */
  readonly stopped: { readonly looked: number; readonly time: string } | null
}

export interface History {
  readonly phase: Readonly<Ref<HistoryPhase>>
  readonly error: Readonly<Ref<unknown>>
  /** Null until they are found. */
  readonly ends: Readonly<Ref<Ends | null>>
  /** Checked categories; none checked shows all. */
  readonly checked: Ref<Category[]>
  readonly query: Ref<string>
  /** The categories that are shown; undefined for all. */
  readonly wanted: ComputedRef<readonly Category[] | undefined>
  readonly words: ComputedRef<readonly string[]>
  readonly events: ComputedRef<readonly MonitorEvent[]>
  /** Which event of those that match the first one of the page is, from 1. */
  readonly first: ComputedRef<number>
  readonly stopped: ComputedRef<Page['stopped']>
  /** The last page is shown until the next one is here. */
  readonly isReplacing: Readonly<Ref<boolean>>
  readonly hasNext: ComputedRef<boolean>
  readonly hasPrevious: ComputedRef<boolean>
  readonly next: () => void
  readonly previous: () => void
  readonly retry: () => void
}

export function useHistory(span: () => Span): History {
  const phase = ref<HistoryPhase>('loading')
  const error = shallowRef<unknown>(null)
  const ends = shallowRef<Ends | null>(null)
  const checked = ref<Category[]>([])
  const query = ref('')
  const page = shallowRef<Page>({ events: [], next: null, stopped: null })
  const isReplacing = ref(false)
  /** Of the pages before this one and of this one, as far as they were turned: where each begins, and what is before it. */
  const turned = shallowRef<readonly { after: string; before: number }[]>([])
  let running: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const words = computed(() => wordsOf(query.value))
  const wanted = computed(() =>
    checked.value.length === 0 ? undefined : CATEGORIES.filter((name) => checked.value.includes(name)),
  )

  /** Do what may be overtaken by the next wish; its failure becomes the phase. */
  async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    clearTimeout(timer)
    running?.abort()
    const { signal } = (running = new AbortController())
    try {
      await work(signal)
      if (!signal.aborted) phase.value = 'ready'
    } catch (cause) {
      if (signal.aborted) return
      error.value = cause
      phase.value = phaseOf(cause)
    }
    if (!signal.aborted) isReplacing.value = false
  }

  function load(): void {
    phase.value = 'loading'
    ends.value = null
    turned.value = []
    void run(async (signal) => {
      const found = await findEnds(span(), signal)
      const read = await readPage(found, found.from.cursor, signal)
      if (signal.aborted) return
      ends.value = found
      page.value = read
    })
  }

  /** Show the page that begins there. */
  function turn(next: typeof turned.value): void {
    const found = ends.value
    if (found === null) return
    isReplacing.value = true
    void run(async (signal) => {
      const read = await readPage(found, next.at(-1)?.after ?? found.from.cursor, signal)
      if (signal.aborted) return
      turned.value = next
      page.value = read
    })
  }

  async function readPage(found: Ends, start: string, signal: AbortSignal): Promise<Page> {
    const events: MonitorEvent[] = []
    // One more than a page has tells whether there is another page.
    const limit = words.value.length > 0 ? SEARCH_LIMIT : PAGE_SIZE + 1
    let [after, looked] = [start, 0]
    for (;;) {
      const batch = await readEvents({ after, limit, ...(wanted.value && { filters: wanted.value }) }, signal)
      for (const event of batch) {
        if (event.id === null || event.offset === null || event.offset > found.to.offset)
          return { events, next: null, stopped: null }
        if (hasWords(event, words.value)) {
          if (events.length === PAGE_SIZE) return { events, next: after, stopped: null }
          events.push(event)
        }
        after = event.id
        looked += 1
        if (looked >= MOST_LOOKED) return { events, next: after, stopped: { looked, time: event.timestamp } }
      }
      if (batch.length < limit) return { events, next: null, stopped: null }
    }
  }

  watch(span, (now, before) => (now.from === before.from && now.to === before.to ? undefined : load()))
  watch(wanted, () => turn([]))
  watch(words, (now, before) => {
    if (now.join(' ') === before.join(' ')) return
    clearTimeout(timer)
    timer = setTimeout(() => turn([]), TYPING_MS)
  })
  onScopeDispose(() => {
    clearTimeout(timer)
    running?.abort()
  })
  load()

  return {
    phase: shallowReadonly(phase),
    error: shallowReadonly(error),
    ends: shallowReadonly(ends),
    checked,
    query,
    wanted,
    words,
    events: computed(() => page.value.events),
    first: computed(() => (turned.value.at(-1)?.before ?? 0) + 1),
    stopped: computed(() => page.value.stopped),
    isReplacing: shallowReadonly(isReplacing),
    hasNext: computed(() => page.value.next !== null),
    hasPrevious: computed(() => turned.value.length > 0),
    next: () => {
      const { next: after, events } = page.value
      if (after === null) return
      const before = (turned.value.at(-1)?.before ?? 0) + events.length
      turn([...turned.value, { after, before }])
    },
    previous: () => turn(turned.value.slice(0, -1)),
    retry: load,
  }
}

/** @throws ApiError 410 when nothing of the span is kept */
async function findEnds(span: Span, signal: AbortSignal): Promise<Ends> {
  const to = await placeOf(span.to, signal)
  try {
    // A place is what has happened up to a time; what happens at that very time belongs to the span.
    const justBefore = new Date(Date.parse(span.from) - 1).toISOString()
    return { from: await placeOf(justBefore, signal), to, cutAt: null }
  } catch (cause) {
    if (!isExpired(cause)) throw cause
    const oldest = await readOldest(signal)
    const cursor = oldest?.id ? parseCursor(oldest.id) : null
    if (oldest === null || cursor === null) return { from: to, to, cutAt: null }
    const offset = cursor.offset - 1
    return {
      from: { offset, cursor: formatCursor({ ...cursor, offset }), time: null },
      to,
      cutAt: oldest.timestamp,
    }
  }
}

/** The oldest event that is kept; null in an empty log. */
export async function readOldest(signal?: AbortSignal): Promise<MonitorEvent | null> {
  return (await readEvents({ limit: 1 }, signal))[0] ?? null
}

/** The place of a time; of one in the future, also by a clock that is a little behind this one, the head. */
async function placeOf(time: string, signal: AbortSignal): Promise<Place> {
  try {
    return await findPlace(time, signal)
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 422) return findPlace(undefined, signal)
    throw cause
  }
}

function phaseOf(cause: unknown): HistoryPhase {
  if (isExpired(cause)) return 'expired'
  return cause instanceof ApiError && cause.status === 403 ? 'forbidden' : 'failed'
}

function isExpired(cause: unknown): boolean {
  return cause instanceof ApiError && cause.status === 410
}
