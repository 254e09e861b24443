import type { Category } from '@rmos/monitor-core'
import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, shallowRef, type EffectScope } from 'vue'
import { MOST_LOOKED, PAGE_SIZE, useHistory } from './useHistory'

const EPOCH = 'k3f9q2'
const BEGIN = Date.parse('2026-11-24T06:00:00Z')
/** Seconds after `BEGIN`. */
const NOW = 900_000
const timeOf = (offset: number) => new Date(BEGIN + offset * 1000).toISOString()
const span = (from: number, to: number) => ({ from: timeOf(from), to: timeOf(to) })

/** A log of one event a second, as the two routes tell of it. */
class Log {
  head = 0
  oldest = 1
  /** Status of every answer, where it is a refusal. */
  refusal: number | null = null
  readonly asked: URL[] = []

  readonly fetch = (input: string): Promise<Response> => {
    const url = new URL(input, 'http://shop')
    this.asked.push(url)
    if (this.refusal !== null) return refuse(this.refusal)
    return url.pathname.endsWith('/state') ? this.#state(url.searchParams) : this.#events(url.searchParams)
  }

  #state(query: URLSearchParams): Promise<Response> {
    const at = query.get('at')
    const offset = at === null ? this.head : Math.floor((Date.parse(at) - BEGIN) / 1000)
    if (offset > NOW) return refuse(422)
    const found = Math.max(0, Math.min(offset, this.head))
    if (found < this.oldest && this.oldest > 1) return refuse(410)
    const time = found === 0 ? null : timeOf(found)
    return answer({ at: { offset: found, cursor: `${EPOCH}:${found}`, time }, next: null })
  }

  #events(query: URLSearchParams): Promise<Response> {
    const after = Number(query.get('after')?.split(':')[1] ?? this.oldest - 1)
    const filters = query.get('filters')?.split(',')
    const events = []
    for (
      let offset = after + 1;
      offset <= this.head && events.length < Number(query.get('limit'));
      offset += 1
    ) {
      const category: Category = offset % 2 === 0 ? 'pattern' : 'job'
      if (filters?.includes(category) === false) continue
      events.push({
        type: `${category}:updated`,
        data: { name: `thing ${offset}` },
        timestamp: timeOf(offset),
        id: `${EPOCH}:${offset}`,
        offset,
        channels: [],
        key: null,
        version: null,
        actor: 'local',
      })
    }
    return answer({ events })
  }
}

const answer = (body: object, status = 200) =>
  Promise.resolve(
    new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } }),
  )
const refuse = (status: number) => answer({ code: 'x', detail: 'no' }, status)

let scope: EffectScope
let log: Log

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  scope = effectScope()
  log = new Log()
  vi.stubGlobal('fetch', log.fetch)
})

afterEach(() => {
  scope.stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

async function use(from: number, to: number) {
  const chosen = shallowRef(span(from, to))
  const history = scope.run(() => useHistory(() => chosen.value))
  if (history === undefined) throw new Error('the scope is over')
  await flushPromises()
  const offsets = () => history.events.value.map(({ offset }) => offset)
  return { chosen, history, offsets }
}

async function search(history: { query: { value: string } }, query: string): Promise<void> {
  history.query.value = query
  await flushPromises()
  vi.advanceTimersByTime(250)
  await flushPromises()
}

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)

describe('useHistory', () => {
  it('shows the events of the span, those of its very ends too, and no others', async () => {
    log.head = 100

    const { history, offsets } = await use(10, 20)

    expect(history.phase.value).toBe('ready')
    expect(offsets()).toEqual(range(10, 20))
    expect(history.hasNext.value).toBe(false)
  })

  it('turns pages forwards and back', async () => {
    log.head = 1000
    const { history, offsets } = await use(1, 120)

    history.next()
    await flushPromises()
    history.next()
    await flushPromises()
    const last = [offsets(), history.first.value, history.hasNext.value]
    history.previous()
    await flushPromises()

    expect(last).toEqual([range(2 * PAGE_SIZE + 1, 120), 2 * PAGE_SIZE + 1, false])
    expect(offsets()).toEqual(range(PAGE_SIZE + 1, 2 * PAGE_SIZE))
    expect(history.hasPrevious.value).toBe(true)
  })

  it('has no next page when the last one is full', async () => {
    log.head = PAGE_SIZE

    const { history, offsets } = await use(1, PAGE_SIZE)

    expect(offsets()).toHaveLength(PAGE_SIZE)
    expect(history.hasNext.value).toBe(false)
  })

  it('takes no event that came after the span was found, though it lies in its time', async () => {
    log.head = 60
    const { history, offsets } = await use(1, 100)
    log.head = 80

    history.next()
    await flushPromises()

    expect(offsets()).toEqual(range(51, 60))
  })

  it('asks the server for the checked categories alone, from the first page on', async () => {
    log.head = 300
    const { history, offsets } = await use(1, 300)
    history.next()
    await flushPromises()

    history.checked.value = ['pattern']
    await flushPromises()

    expect(log.asked.at(-1)?.searchParams.get('filters')).toBe('pattern')
    expect(offsets()).toEqual(range(2, 2 * PAGE_SIZE, 2))
    expect(history.first.value).toBe(1)
  })

  it('finds words however far apart the events are that have them', async () => {
    log.head = 5000
    const { history, offsets } = await use(1, 5000)

    await search(history, '4321')

    expect(offsets()).toEqual([4321])
    expect(history.stopped.value).toBeNull()
  })

  it('stops a long search to ask, and goes on where it stopped', async () => {
    log.head = MOST_LOOKED + 500
    const { history, offsets } = await use(1, log.head)

    await search(history, `thing ${MOST_LOOKED + 300}`)
    const stopped = [offsets(), history.stopped.value?.looked, history.hasNext.value]
    history.next()
    await flushPromises()

    expect(stopped).toEqual([[], MOST_LOOKED, true])
    expect(offsets()).toEqual([MOST_LOOKED + 300])
  })

  it('shows what is kept of a span, and says since when', async () => {
    log.head = 100
    log.oldest = 40

    const { history, offsets } = await use(10, 50)

    expect(offsets()).toEqual(range(40, 50))
    expect(history.ends.value?.cutAt).toBe(timeOf(40))
  })

  it('says that nothing of a span is kept', async () => {
    log.head = 100
    log.oldest = 40

    const { history } = await use(10, 20)

    expect(history.phase.value).toBe('expired')
  })

  it('takes the present for the end of a span that is not over', async () => {
    log.head = 30

    const { history, offsets } = await use(20, 1_000_000)

    expect(history.phase.value).toBe('ready')
    expect(offsets()).toEqual(range(20, 30))
  })

  it('is empty where nothing happened, and knows what happened before', async () => {
    log.head = 30

    const { history } = await use(100, 200)

    expect(history.phase.value).toBe('ready')
    expect(history.ends.value?.from.offset).toBe(history.ends.value?.to.offset)
    expect(history.ends.value?.from.time).toBe(timeOf(30))
  })

  it.each([
    [403, 'forbidden'],
    [409, 'failed'],
    [503, 'failed'],
  ])('says after a refusal with %i that it is %s, and tries again when asked to', async (status, phase) => {
    log.head = 10
    log.refusal = status
    const { history, offsets } = await use(1, 10)
    const refused = history.phase.value
    log.refusal = null

    history.retry()
    await flushPromises()

    expect(refused).toBe(phase)
    expect(offsets()).toEqual(range(1, 10))
  })

  it('shows the span that was chosen last, whichever answer comes last', async () => {
    log.head = 100
    const { chosen, offsets } = await use(1, 10)

    chosen.value = span(20, 30)
    await Promise.resolve()
    chosen.value = span(40, 50)
    await flushPromises()

    expect(offsets()).toEqual(range(40, 50))
  })
})
