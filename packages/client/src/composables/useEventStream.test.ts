import type { MonitorEvent } from '@rmos/monitor-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { useEventStream, type EventStream } from './useEventStream'

let scope: EffectScope

beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
})

afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

const use = (capacity = 10): EventStream => scope.run(() => useEventStream(capacity)) as EventStream // the scope is active

function event(offset: number, type = 'job:updated'): MonitorEvent {
  return {
    type,
    category: 'job',
    data: {},
    timestamp: '',
    id: `e:${offset}`,
    offset,
    channels: [],
    key: null,
    version: null,
    actor: null,
  }
}

const frame = () => vi.advanceTimersByTime(250)
const offsets = ({ items }: EventStream) =>
  items.value.map((item) => (item.kind === 'event' ? item.event.offset : item.text))

describe('useEventStream', () => {
  it('puts what arrives on the screen once a frame, in order', () => {
    const stream = use()
    stream.push(event(1))
    stream.mark('gap', 'missing')
    stream.push(event(2))
    const before = offsets(stream)

    frame()

    expect(before).toEqual([])
    expect(offsets(stream)).toEqual([1, 'missing', 2])
  })

  it('changes the list once for a thousand events of one frame', () => {
    const stream = use(5000)
    const lists = new Set<unknown>()

    for (let offset = 1; offset <= 1000; offset += 1) {
      stream.push(event(offset))
      lists.add(stream.items.value)
    }
    frame()
    lists.add(stream.items.value)

    expect(lists.size).toBe(2)
    expect(stream.items.value).toHaveLength(1000)
  })

  it('keeps the newest and counts what it drops', () => {
    const stream = use(10)
    for (let offset = 1; offset <= 35; offset += 1) stream.push(event(offset))

    frame()

    expect(offsets(stream)).toEqual([26, 27, 28, 29, 30, 31, 32, 33, 34, 35])
    expect(stream.dropped.value).toBe(25)
    expect(stream.counts.value.get('job:updated')).toBe(35)
  })

  it('counts by type, custom types too', () => {
    const stream = use()
    stream.push(event(1, 'job:created'))
    stream.push(event(2, 'job:custom_status'))
    stream.push(event(3, 'job:created'))

    frame()

    expect([...stream.counts.value]).toEqual([
      ['job:created', 2],
      ['job:custom_status', 1],
    ])
  })

  it('does not count names without end', () => {
    const stream = use(1000)
    for (let n = 0; n < 500; n += 1) stream.push(event(n, `job:name_${n}`))

    frame()

    expect(stream.counts.value.size).toBe(101)
    expect(stream.counts.value.get('job:…')).toBe(400)
  })

  it('gives snapshots that follow each other one row, the newest, and counts them all', () => {
    const stream = use()
    const snapshot = (at: string): MonitorEvent => ({
      ...event(0, 'metrics:snapshot'),
      id: null,
      offset: null,
      timestamp: at,
    })
    stream.push(snapshot('1'))
    frame()
    stream.push(snapshot('2'))
    stream.push(snapshot('3'))
    stream.push(event(1))
    stream.push(snapshot('4'))

    frame()

    const shown = stream.items.value.map(
      (item) => item.kind === 'event' && [item.event.timestamp, item.repeats],
    )
    expect(shown).toEqual([
      ['3', 3],
      ['', 1],
      ['4', 1],
    ])
    expect(stream.counts.value.get('metrics:snapshot')).toBe(4)
  })

  it('holds the screen still while paused, counts what waits, and shows it after', () => {
    const stream = use()
    stream.push(event(1))
    stream.pause()
    stream.push(event(2))
    stream.push(event(3))
    frame()
    const during = { shown: offsets(stream), waiting: stream.waiting.value, received: stream.received.value }

    stream.resume()

    expect(during).toEqual({ shown: [1], waiting: 2, received: 3 })
    expect(offsets(stream)).toEqual([1, 2, 3])
    expect(stream.waiting.value).toBe(0)
  })

  it('is bounded while paused as well', () => {
    const stream = use(10)
    stream.pause()
    for (let offset = 1; offset <= 1000; offset += 1) stream.push(event(offset))

    stream.resume()

    expect(offsets(stream)).toEqual([991, 992, 993, 994, 995, 996, 997, 998, 999, 1000])
    expect(stream.dropped.value).toBe(990)
  })

  it('clears, and puts everything back before what came since', () => {
    const stream = use()
    stream.push(event(1))
    stream.push(event(2))
    frame()

    const cleared = stream.clear()
    stream.push(event(3))
    frame()
    const between = offsets(stream)
    stream.undoClear()

    expect(cleared).toBe(2)
    expect(between).toEqual([3])
    expect(offsets(stream)).toEqual([1, 2, 3])
    expect(stream.counts.value.get('job:updated')).toBe(3)
  })

  it('undoes once', () => {
    const stream = use()
    stream.push(event(1))
    frame()
    stream.clear()

    stream.undoClear()
    stream.undoClear()

    expect(offsets(stream)).toEqual([1])
  })
})
