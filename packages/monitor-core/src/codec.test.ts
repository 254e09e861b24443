import { describe, expect, it } from 'vitest'
import { decode, encode } from './codec'

const event = { type: 'job:updated', data: { id: 'j1' }, timestamp: '2026-11-24T10:00:00.123Z' }

describe('decode', () => {
  it('reads an event with everything version 2 adds', () => {
    const frame = {
      ...event,
      id: 'k3:7',
      offset: 7,
      channels: ['machine:cnc1'],
      key: 'job/j1',
      version: 2,
      actor: 'local',
    }

    expect(decode(JSON.stringify(frame))).toEqual({
      kind: 'event',
      event: { ...frame, category: 'job' },
      isReplay: false,
    })
  })

  it('reads an event of version 1, where the additions are absent', () => {
    expect(decode(JSON.stringify(event))).toMatchObject({
      kind: 'event',
      event: { ...event, id: null, offset: null, channels: [], key: null, version: null, actor: null },
    })
  })

  it('reads what the server says about itself', () => {
    const system = (name: string, data: object) =>
      decode(JSON.stringify({ type: `system:${name}`, data, timestamp: '' }))

    expect(system('connected', { message: 'hello' })).toMatchObject({
      kind: 'connected',
      epoch: null,
      heartbeatS: null,
    })
    expect(system('pong', { id: 'p1' })).toEqual({ kind: 'pong', id: 'p1' })
    expect(system('heartbeat', { offset: 5, time: '' })).toEqual({ kind: 'heartbeat', offset: 5, lag: 0 })
    expect(system('gap', { from: 3, to: 5, reason: 'lost' })).toEqual({
      kind: 'gap',
      from: 3,
      to: 5,
      reason: 'lost',
    })
    expect(system('error', { code: 'x' })).toMatchObject({
      kind: 'error',
      id: null,
      code: 'x',
      temporary: false,
    })
    expect(system('closing', { code: 1012, retry_after: 2 })).toMatchObject({
      code: 1012,
      retryAfter: 2,
      reconnect: null,
    })
  })

  it('ignores what a later version may send', () => {
    expect(decode('{"type":"system:moon_phase","data":{}}')).toEqual({ kind: 'ignored' })
    expect(decode('{"type":"robot:moved","data":{}}')).toEqual({ kind: 'ignored' })
  })

  it.each([
    ['a cut text', '{"type":"job:upd'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a type that is no text', '{"type":7,"data":{}}'],
    ['a type without a colon', '{"type":"hello","data":{}}'],
    ['data that is a list', '{"type":"job:updated","data":[]}'],
    ['an offset that is text', '{"type":"job:updated","data":{},"offset":"7"}'],
    ['an offset between two places', '{"type":"job:updated","data":{},"offset":7.5}'],
    ['channels that are no texts', '{"type":"job:updated","data":{},"channels":[1]}'],
    ['a heartbeat without a place', '{"type":"system:heartbeat","data":{}}'],
    ['a subscription without filters', '{"type":"system:subscribed","data":{}}'],
  ])('finds %s malformed and says why', (_, frame) => {
    expect(decode(frame)).toMatchObject({ kind: 'malformed', problem: expect.stringMatching(/./) as string })
  })

  it('finds a binary frame malformed', () => {
    expect(decode(new ArrayBuffer(3))).toEqual({ kind: 'malformed', problem: 'a binary frame' })
  })
})

describe('encode', () => {
  it('writes commands as the published protocol has them', () => {
    expect(encode({ action: 'ping' })).toBe('{"action":"ping"}')
    expect(encode({ action: 'subscribe', filters: ['job'], id: 's1', since: 'k3:7' })).toBe(
      '{"action":"subscribe","filters":["job"],"id":"s1","since":"k3:7"}',
    )
  })
})
