import type { MonitorEvent } from '@rmos/monitor-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, shallowRef, type EffectScope } from 'vue'
import { useEventChanges } from './useEventChanges'

const event: MonitorEvent = {
  type: 'job:updated',
  category: 'job',
  data: {},
  timestamp: '2026-11-24T10:00:00.000Z',
  id: 'e:7',
  offset: 7,
  channels: [],
  key: 'job/a b',
  version: 2,
  actor: 'local',
}
const entry = {
  version: 2,
  time: '',
  actor: 'local',
  event: 'job:updated',
  diff: [{ path: '/status', from: 'x', to: 'y' }],
}
const answer = (body: unknown, status = 200) =>
  Promise.resolve(
    new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } }),
  )

let scope: EffectScope
const fetched = vi.fn<typeof fetch>()

beforeEach(() => {
  vi.stubGlobal('fetch', fetched)
  scope = effectScope()
})

afterEach(() => {
  scope.stop()
  fetched.mockReset()
  vi.unstubAllGlobals()
})

const use = (of: MonitorEvent) => {
  const current = shallowRef(of)
  const result = scope.run(() => useEventChanges(() => current.value))
  if (result === undefined) throw new Error('the scope is over')
  return { current, ...result }
}

describe('useEventChanges', () => {
  it('finds the entry of the event in the history of its thing', async () => {
    fetched.mockReturnValue(
      answer({ success: true, history: [{ ...entry, version: 1, event: 'job:created' }, entry] }),
    )

    const { changes } = use(event)

    await vi.waitFor(() => expect(changes.value).toEqual({ state: 'ready', entry }))
    expect(fetched.mock.calls[0]?.[0]).toBe('/api/rmos/stores/joblogs/a%20b/history')
  })

  it.each([
    ['pattern', 'patterns'],
    ['material', 'strip-families'],
  ] as const)('asks for the history of a %s under %s', async (category, path) => {
    fetched.mockReturnValue(answer({ success: true, history: [] }))

    const { changes } = use({ ...event, category, key: `${category}/1` })

    await vi.waitFor(() => expect(changes.value).toEqual({ state: 'ready', entry: null }))
    expect(fetched.mock.calls[0]?.[0]).toBe(`/api/rmos/stores/${path}/1/history`)
  })

  it('asks nothing for what is not stored', () => {
    const { changes } = use({
      ...event,
      category: 'metrics',
      type: 'metrics:snapshot',
      key: null,
      version: null,
    })

    expect(changes.value).toEqual({ state: 'none' })
    expect(fetched).not.toHaveBeenCalled()
  })

  it('says why it failed, and tries again when asked', async () => {
    fetched.mockReturnValueOnce(answer({ detail: 'JobLog not found: a b', code: 'not_found' }, 404))
    fetched.mockReturnValueOnce(answer({ success: true, history: [entry] }))

    const { changes, reload } = use(event)
    await vi.waitFor(() =>
      expect(changes.value).toEqual({ state: 'failed', reason: 'JobLog not found: a b' }),
    )
    reload()

    await vi.waitFor(() => expect(changes.value.state).toBe('ready'))
  })

  it('shows the event that is looked at, whichever answer comes last', async () => {
    let answerFirst: (response: Response) => void = () => undefined
    fetched.mockReturnValueOnce(new Promise((resolve) => (answerFirst = resolve)))
    fetched.mockReturnValueOnce(answer({ success: true, history: [{ ...entry, version: 3 }] }))

    const { changes, current } = use(event)
    current.value = { ...event, version: 3 }
    await vi.waitFor(() => expect(changes.value.state).toBe('ready'))
    answerFirst(await answer({ success: true, history: [entry] }))
    await Promise.resolve()

    expect(changes.value).toMatchObject({ entry: { version: 3 } })
  })
})
