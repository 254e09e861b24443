import { QueryClient, QueryObserver } from '@tanstack/vue-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ListPage, ListParams } from '@/api/stores'
import type { Job } from '@/api/types'
import { keys, LiveCache, REFRESH_DELAY_MS } from './cache'
import type { MonitorEvent } from './newest'

function job(id: string, version = 1, more: Partial<Job> = {}): Job {
  return {
    id,
    version,
    job_type: 'slice',
    status: 'pending',
    parameters: {},
    created_at: '2026-11-24T08:00:00.000Z',
    updated_at: '2026-11-24T08:00:00.000Z',
    ...more,
  }
}

function event(type: string, data: object, offset: number): MonitorEvent {
  return { type, data, offset, key: null }
}

const everything: ListParams = { limit: 50 }
const running: ListParams = { limit: 50, filters: { status: 'running' } }

let client: QueryClient
let cache: LiveCache

function show(params: ListParams, ...items: Job[]): void {
  const page: ListPage<'joblogs'> = { items, total: items.length, next: null }
  client.setQueryData(keys.list('joblogs', params), page)
}

function rows(params: ListParams): Job[] {
  return client.getQueryData<ListPage<'joblogs'>>(keys.list('joblogs', params))?.items ?? []
}

function isStale(params: ListParams): boolean {
  return client.getQueryState(keys.list('joblogs', params))?.isInvalidated ?? false
}

beforeEach(() => {
  vi.useFakeTimers()
  client = new QueryClient()
  cache = new LiveCache(client)
})

afterEach(() => {
  client.clear()
  vi.useRealTimers()
})

describe('a list on the screen', () => {
  it('shows the new values of a row in its place', () => {
    show(everything, job('a'), job('b'), job('c'))

    cache.applyEvent(event('job:updated', job('b', 2, { progress: 0.5 }), 1))

    expect(rows(everything).map((row) => [row.id, row.progress])).toEqual([
      ['a', undefined],
      ['b', 0.5],
      ['c', undefined],
    ])
  })

  it('shows a new entity on top and counts it', () => {
    show(everything, job('a'))

    cache.applyEvent(event('job:created', job('b'), 1))

    const page = client.getQueryData<ListPage<'joblogs'>>(keys.list('joblogs', everything))
    expect(page?.items.map((row) => row.id)).toEqual(['b', 'a'])
    expect(page?.total).toBe(2)
  })

  it('never grows beyond its page', () => {
    const two: ListParams = { limit: 2 }
    show(two, job('a'), job('b'))

    cache.applyEvent(event('job:created', job('c'), 1))

    expect(rows(two).map((row) => row.id)).toEqual(['c', 'a'])
  })

  it('loses a row that was deleted', () => {
    show(everything, job('a'), job('b'))

    cache.applyEvent(event('job:deleted', { id: 'a' }, 1))

    expect(rows(everything).map((row) => row.id)).toEqual(['b'])
  })

  it('loses a row that its filter no longer admits', () => {
    show(running, job('a', 1, { status: 'running' }))

    cache.applyEvent(event('job:completed', job('a', 2, { status: 'completed' }), 1))

    expect(rows(running)).toEqual([])
  })

  it('holds what figures count on a day, also without an end, and not what was cancelled', () => {
    const ended = { outcome_at_from: '2026-11-24', outcome_at_before: '2026-11-25' }
    const list: ListParams = { limit: 50, filters: ended }
    show(list)

    cache.applyEvent(event('job:created', job('a', 1, { status: 'completed' }), 1))
    const end_time = '2026-11-23T09:00:00.000Z'
    cache.applyEvent(event('job:created', job('before', 1, { status: 'failed', end_time }), 2))
    cache.applyEvent(event('job:created', job('cancelled', 1, { status: 'cancelled' }), 3))

    expect(rows(list).map((row) => row.id)).toEqual(['a'])
  })

  it('is left alone by a new entity that its filter does not admit', () => {
    show(running, job('a', 1, { status: 'running' }))

    cache.applyEvent(event('job:created', job('b'), 1))
    vi.advanceTimersByTime(REFRESH_DELAY_MS)

    expect(rows(running).map((row) => row.id)).toEqual(['a'])
    expect(isStale(running)).toBe(false)
  })

  it('is read again, once for many events, when only the server can tell where a row belongs', () => {
    const searched: ListParams = { limit: 50, q: 'rope' }
    show(searched, job('a'))
    const invalidate = vi.spyOn(client, 'invalidateQueries')

    for (let offset = 1; offset <= 100; offset++) {
      cache.applyEvent(event('job:created', job(`new-${offset}`), offset))
    }
    vi.advanceTimersByTime(REFRESH_DELAY_MS)

    expect(isStale(searched)).toBe(true)
    const lists = { queryKey: keys.lists('joblogs') }
    const reads = invalidate.mock.calls.filter(
      ([filters]) => JSON.stringify(filters) === JSON.stringify(lists),
    )
    expect(reads).toHaveLength(1)
  })

  it.each([
    ['that is read for the first time', false],
    ['that was on the screen', true],
  ])('holds an entity that was created while a list %s was under way', async (_name, wasShown) => {
    if (wasShown) show(everything)
    const queryKey = keys.list('joblogs', everything)
    let stored: Job[] = []
    const observer = new QueryObserver(client, {
      queryKey,
      queryFn: async () => {
        const items = stored
        await new Promise((answered) => setTimeout(answered, 100))
        return { items, total: items.length, next: null }
      },
    })
    const leave = observer.subscribe(() => undefined)

    stored = [job('a')]
    cache.applyEvent(event('job:created', job('a'), 1))
    await vi.advanceTimersByTimeAsync(REFRESH_DELAY_MS + 200)

    expect(rows(everything).map((row) => row.id)).toEqual(['a'])
    leave()
  })

  it('is not read again for an edit of a row on another page', () => {
    show(everything, job('a'))

    cache.applyEvent(event('job:updated', job('z', 7), 1))
    vi.advanceTimersByTime(REFRESH_DELAY_MS)

    expect(rows(everything).map((row) => row.id)).toEqual(['a'])
    expect(isStale(everything)).toBe(false)
  })
})

describe('events that come twice, late or in disorder', () => {
  it('ignores the same event a second time', () => {
    show(everything)
    const created = event('job:created', job('a'), 1)

    cache.applyEvent(created)
    cache.applyEvent(created)

    expect(rows(everything)).toHaveLength(1)
  })

  it('ignores an older version after a newer one', () => {
    show(everything, job('a', 1))

    cache.applyEvent(event('job:updated', job('a', 3, { progress: 0.9 }), 3))
    cache.applyEvent(event('job:updated', job('a', 2, { progress: 0.1 }), 2))

    expect(rows(everything)[0]?.progress).toBe(0.9)
  })

  it('ignores a replayed event that the page has already overtaken', () => {
    show(everything, job('a', 5, { progress: 0.9 }))
    client.setQueryData(keys.entity('joblogs', 'a'), job('a', 5))

    cache.applyEvent(event('job:created', job('a', 1), 1))

    expect(rows(everything)[0]?.version).toBe(5)
    expect(client.getQueryData<Job>(keys.entity('joblogs', 'a'))?.version).toBe(5)
  })

  it('does not bring back a deleted entity by a late update', () => {
    show(everything, job('a', 1))
    client.setQueryData(keys.entity('joblogs', 'a'), job('a', 1))

    cache.applyEvent(event('job:deleted', { id: 'a' }, 2))
    cache.applyEvent(event('job:updated', job('a', 2), 1))

    expect(rows(everything)).toEqual([])
    expect(client.getQueryData(keys.entity('joblogs', 'a'))).toBeNull()
  })

  it('shows an id that is used again after a deletion', () => {
    show(everything, job('a', 4))

    cache.applyEvent(event('job:deleted', { id: 'a' }, 1))
    cache.applyEvent(event('job:created', job('a', 1), 2))

    expect(rows(everything).map((row) => row.version)).toEqual([1])
  })

  it('takes the answer of an own write and its event for one change, in either order', () => {
    show(everything)

    cache.applyAnswer('joblogs', job('a'))
    cache.applyEvent(event('job:created', job('a'), 1))
    cache.applyEvent(event('job:created', job('b'), 2))
    cache.applyEvent(event('job:updated', job('b', 2), 3))
    cache.applyAnswer('joblogs', job('b'))

    expect(rows(everything).map((row) => [row.id, row.version])).toEqual([
      ['b', 2],
      ['a', 1],
    ])
  })
})

describe('an answer that was under way while something changed', () => {
  it('cannot put an old value back', () => {
    cache.applyEvent(event('job:updated', job('a', 3), 1))

    expect(cache.newest.overlay('joblogs', job('a', 2))?.version).toBe(3)
    expect(cache.newest.overlay('joblogs', job('a', 4))?.version).toBe(4)
  })

  it('cannot make a newer version be forgotten', () => {
    cache.applyEvent(event('job:updated', job('a', 3), 1))
    cache.applyAnswer('joblogs', job('a', 2))

    expect(cache.newest.overlay('joblogs', job('a', 1))?.version).toBe(3)
  })

  it('cannot bring back what was deleted', () => {
    cache.applyEvent(event('job:deleted', { id: 'a' }, 1))

    expect(cache.newest.overlay('joblogs', job('a', 2))).toBeNull()
  })
})

describe('events about no entity', () => {
  it.each([
    ['a snapshot of the metrics', { type: 'metrics:snapshot', data: { jobs: {} } }],
    ['a custom event', { type: 'job:glue_dry', data: { id: 'a', minutes: 5 }, offset: 1, key: 'job/a' }],
    ['data that is no object', { type: 'job:updated', data: 'text', offset: 1 }],
  ])('%s changes nothing', (_name, custom: MonitorEvent) => {
    show(everything, job('a'))

    cache.applyEvent(custom)

    expect(rows(everything)).toEqual([job('a')])
  })
})

describe('after a gap', () => {
  it('everything is read again and nothing remembered is trusted', async () => {
    show(everything, job('a', 9))
    cache.applyEvent(event('job:updated', job('a', 10), 10))

    await cache.distrust()

    expect(isStale(everything)).toBe(true)
    expect(cache.newest.overlay('joblogs', job('a', 2))?.version).toBe(2)
  })
})
