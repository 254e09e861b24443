import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SAVE_EVERY_MS } from './cursor'
import type { Gap } from './subscriptions'
import type { MonitorError } from './errors'
import { MonitorSession, type SessionOptions } from './session'
import { FakeEnvironment } from './testing'

const URL = 'ws://shop/ws/monitor'
const CURSOR = `rmos.monitor.cursor ${URL}`

let environment: FakeEnvironment
let server: FakeEnvironment['server']

beforeEach(() => {
  environment = new FakeEnvironment()
  server = environment.server
})

const session = (options: SessionOptions = {}) => new MonitorSession({ environment, ...options })

/** A session that is connected, and what its handler saw. */
async function connected(filters?: string[], options: SessionOptions = {}) {
  const seen: string[] = []
  const monitor = session(options)
  monitor.subscribe(filters, (event) => seen.push(`${event.type} ${event.offset ?? '-'}`))
  const done = monitor.connect(URL)
  await environment.settle()
  await done
  return { monitor, seen }
}

describe('connect', () => {
  it('resolves when the server has said welcome, not before', async () => {
    const monitor = session()
    let isDone = false
    void monitor.connect(URL).then(() => (isDone = true))

    await Promise.resolve()
    const before = isDone
    await environment.settle()

    expect([before, isDone]).toEqual([false, true])
    expect(monitor.state.name).toBe('open')
    expect(server.connection.protocols).toEqual(['rmos.monitor.v2', 'rmos.monitor.v1'])
  })

  it('resolves at once when there is a connection already', async () => {
    const { monitor } = await connected()

    await monitor.connect(URL)

    expect(server.connections).toHaveLength(1)
  })

  it('rejects with the reason when the server cannot be reached, and goes on trying', async () => {
    server.isUp = false
    const monitor = session()
    const done = monitor.connect(URL)
    const failure = expect(done).rejects.toMatchObject({
      code: 'connection_failed',
      message: 'WebSocket connection failed: the connection was lost or could not be made (code 1006)',
    })

    await environment.settle()
    await failure

    expect(monitor.state).toMatchObject({ name: 'waiting', attempt: 1 })
  })

  it('rejects with the reason when the server refuses, and stays away', async () => {
    server.refusal = 4403
    const monitor = session()
    const failure = expect(monitor.connect(URL)).rejects.toThrow('access was refused (code 4403: refused)')

    await environment.advance(60_000)
    await failure

    expect(monitor.state.name).toBe('abandoned')
    expect(server.connections).toHaveLength(1)
  })

  it('rejects when the address is none', async () => {
    const monitor = session()

    await expect(monitor.connect('shop')).rejects.toThrow('cannot connect to shop: invalid url shop')

    expect(monitor.state.name).toBe('abandoned')
  })

  it('rejects when somebody disconnects meanwhile', async () => {
    const monitor = session()
    const failure = expect(monitor.connect(URL)).rejects.toMatchObject({ code: 'disconnected' })

    monitor.disconnect()
    await failure

    expect(monitor.state.name).toBe('idle')
  })

  it('gives up after five reconnects, at 1, 2, 4, 8 and 16 seconds', async () => {
    const { monitor } = await connected()
    server.isUp = false
    server.connection.cut()
    await environment.settle()
    const waits: (number | null)[] = []

    while (monitor.state.name === 'waiting') {
      waits.push(environment.nextTimerMs)
      await environment.advance(environment.nextTimerMs ?? 0)
    }

    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000])
    expect(monitor.state).toMatchObject({ name: 'abandoned', reason: 'Max reconnection attempts reached' })
    expect(server.connections).toHaveLength(6)
  })

  it('tries again by hand after it gave up', async () => {
    const { monitor, seen } = await connected(['job'], { maxAttempts: 0 })
    server.connection.cut()
    await environment.settle()
    const given = monitor.state.name
    server.append('job:created')

    void monitor.connect(URL)
    await environment.settle()

    expect(given).toBe('abandoned')
    expect(monitor.state.name).toBe('open')
    expect(seen).toEqual(['job:created 1'])
  })

  it('makes a new connection when it is disconnected and connected', async () => {
    const { monitor } = await connected()

    monitor.disconnect()
    const done = monitor.connect(URL)
    await environment.settle()
    await done

    expect(server.connections).toHaveLength(2)
    expect(server.connections[0]?.closedByClient?.code).toBe(1000)
  })

  it('does not wait for ever for a server that accepts and says nothing', async () => {
    const monitor = session()
    void monitor.connect(URL).catch(() => undefined)
    // Nothing is pumped: the socket stays mute.

    vi.spyOn(server, 'pump').mockImplementation(() => undefined)
    await environment.advance(10_000)

    expect(monitor.state).toMatchObject({ name: 'waiting', attempt: 1 })
    expect(server.connection.closedByClient?.code).toBe(4008)
  })

  it('makes one attempt at a time, however often it is asked', async () => {
    server.isUp = false
    const monitor = session({ maxAttempts: Infinity, wakes: true })

    for (let i = 0; i < 3; i += 1) void monitor.connect(URL).catch(() => undefined)
    environment.wake()

    expect(server.connections).toHaveLength(1)
    await environment.settle()
    environment.wake()
    environment.wake()
    expect(server.connections).toHaveLength(2)
  })

  it('comes back at once when the page is looked at again', async () => {
    const { monitor } = await connected([], { maxAttempts: Infinity, wakes: true })
    server.isUp = false
    server.connection.cut()
    await environment.advance(120_000)
    server.isUp = true

    environment.wake()
    await environment.settle()

    expect(monitor.state.name).toBe('open')
  })

  it('waits as long as the closing server asked', async () => {
    const { monitor } = await connected()
    server.connection.system('closing', { code: 1012, reason: 'restart', reconnect: true, retry_after: 7 })
    server.connection.close(1012)

    await environment.settle()

    expect(monitor.state).toMatchObject({ name: 'waiting', delayMs: 7000 })
  })

  it('believes the announced code when the line then breaks', async () => {
    const { monitor } = await connected()
    server.connection.system('closing', { code: 4403, reason: 'no', reconnect: false, retry_after: null })
    server.connection.close(1006)

    await environment.settle()

    expect(monitor.state).toMatchObject({ name: 'abandoned', reason: 'access was refused (code 4403: no)' })
  })
})

describe('subscribe', () => {
  it('works before connecting', async () => {
    const { seen } = await connected(['job'])

    server.append('job:created')
    server.append('pattern:created')
    await environment.settle()

    expect(server.connection.commands).toEqual([{ action: 'subscribe', filters: ['job'], id: 's1' }])
    expect(seen).toEqual(['job:created 1'])
  })

  it('works while connecting and after', async () => {
    const seen: string[] = []
    const monitor = session()
    void monitor.connect(URL)
    monitor.subscribe(['job'], (event) => seen.push(event.type))
    await environment.settle()

    monitor.subscribe(['pattern'], (event) => seen.push(event.type))
    await environment.settle()
    server.append('job:created')
    server.append('pattern:created')
    await environment.settle()

    expect(seen).toEqual(['job:created', 'pattern:created'])
    expect(server.connection.commands.map((command) => command.filters)).toEqual([
      ['job'],
      ['job', 'pattern'],
    ])
  })

  it('asks for everything when no filters are given', async () => {
    await connected()

    expect(server.connection.commands).toMatchObject([{ filters: ['all'] }])
  })

  it('sends one command for the changes of one moment', async () => {
    const { monitor } = await connected(['job'])

    const stop = monitor.subscribe(['material'], () => undefined)
    monitor.subscribe(['pattern'], () => undefined)
    stop()
    await environment.settle()

    expect(server.connection.commands.map((command) => command.filters)).toEqual([
      ['job'],
      ['job', 'pattern'],
    ])
  })

  it('waits for the answer before it sends the next command, which then names the right start', async () => {
    const { monitor } = await connected(['job'])
    monitor.subscribe(['pattern'], () => undefined)
    await Promise.resolve()
    server.connection.stepCommand()

    monitor.subscribe(['material'], () => undefined)
    await Promise.resolve()
    const beforeAnswer = server.connection.stepCommand()
    await environment.settle()

    expect(beforeAnswer).toBe(false)
    expect(server.connection.commands.map((command) => command.filters)).toEqual([
      ['job'],
      ['job', 'pattern'],
      ['job', 'pattern', 'material'],
    ])
  })

  it('narrows what the server sends when a handler leaves', async () => {
    const { monitor } = await connected(['job'])
    const stop = monitor.subscribe(['pattern'], () => undefined)
    await environment.settle()

    stop()
    stop()
    await environment.settle()

    expect(server.connection.commands.map((command) => command.filters)).toEqual([
      ['job'],
      ['job', 'pattern'],
      ['job'],
    ])
  })

  it('ends the subscription when the last handler leaves', async () => {
    const monitor = session()
    const stop = monitor.subscribe(['job'], () => undefined)
    void monitor.connect(URL)
    await environment.settle()

    stop()
    await environment.settle()

    expect(server.connection.commands.at(-1)).toMatchObject({ action: 'unsubscribe' })
  })

  it('refuses an unknown filter where it is asked for', () => {
    expect(() => session().subscribe(['jobs'], () => undefined)).toThrow(TypeError)
  })

  it('never shows system frames', async () => {
    const { seen } = await connected()

    server.heartbeat()
    await environment.settle()

    expect(seen).toEqual([])
  })

  it('delivers snapshots, which have no place in the log', async () => {
    const { seen } = await connected(['metrics'])

    server.snapshot({ wip: 1 })
    server.snapshot({ wip: 2 })
    await environment.settle()

    expect(seen).toEqual(['metrics:snapshot -', 'metrics:snapshot -'])
  })

  it('goes on with the other handlers when one throws, and reports what it threw', async () => {
    const errors: MonitorError[] = []
    const seen: string[] = []
    const monitor = session({ onError: (error) => errors.push(error) })
    const cause = new Error('no such column')
    monitor.subscribe(['job'], () => {
      throw cause
    })
    monitor.subscribe(['job'], (event) => seen.push(event.type))
    void monitor.connect(URL)
    await environment.settle()

    server.append('job:created')
    server.append('job:updated')
    await environment.settle()

    expect(seen).toEqual(['job:created', 'job:updated'])
    expect(errors.map((error) => [error.code, error.message, error.cause])).toEqual(
      Array.from({ length: 2 }, () => [
        'handler_failed',
        'a handler of events failed: no such column',
        cause,
      ]),
    )
  })

  it('lets a handler leave from within', async () => {
    const seen: string[] = []
    const monitor = session()
    const stop = monitor.subscribe(['job'], (event) => {
      seen.push(event.type)
      stop()
    })
    void monitor.connect(URL)
    await environment.settle()

    server.append('job:created')
    server.append('job:updated')
    await environment.settle()

    expect(seen).toEqual(['job:created'])
  })

  it('goes back in the log where it is asked to, on a connection that others use as well', async () => {
    for (let i = 0; i < 10; i += 1) server.append('job:created')
    const { monitor, seen } = await connected(['all'])
    server.append('job:updated')
    await environment.settle()
    const late: (number | null)[] = []

    monitor.subscribe(['job'], (event) => late.push(event.offset), { last: 3 })
    await environment.settle()
    server.append('job:completed')
    await environment.settle()

    expect(late).toEqual([9, 10, 11, 12])
    expect(seen).toEqual(['job:updated 11', 'job:completed 12'])
  })

  it('goes back no further than the log does', async () => {
    const gaps: Gap[] = []
    for (let i = 0; i < 10; i += 1) server.append('job:created')
    server.forgetBefore(9)
    const late: (number | null)[] = []
    const monitor = session({ onGap: (gap) => gaps.push(gap) })

    monitor.subscribe(['job'], (event) => late.push(event.offset), { last: 100 })
    void monitor.connect(URL)
    await environment.settle()

    expect(late).toEqual([9, 10])
    expect(gaps).toEqual([])
  })
})

describe('resuming', () => {
  it('subscribes again after a reconnect, from where it was', async () => {
    const { seen } = await connected(['job'])
    server.append('job:created')
    await environment.settle()
    server.connection.cut()
    await environment.settle()
    server.append('job:updated')
    server.append('pattern:created')

    await environment.advance(1000)
    server.append('job:completed')
    await environment.settle()

    expect(server.connection.commands).toEqual([
      { action: 'subscribe', filters: ['job'], id: 's2', since: 'k3f9q2:1' },
    ])
    expect(seen).toEqual(['job:created 1', 'job:updated 2', 'job:completed 4'])
  })

  it('keeps its cursor for the next page of the tab, after the handlers ran', async () => {
    const kept: (string | undefined)[] = []
    const monitor = session()
    monitor.subscribe(['job'], () => kept.push(environment.items.get(CURSOR)))
    void monitor.connect(URL)
    await environment.settle()

    server.append('job:created')
    await environment.settle()
    environment.hide()

    expect(kept).toEqual(['k3f9q2:0'])
    expect(environment.items.get(CURSOR)).toBe('k3f9q2:1')
  })

  it('has its very last place when the page is left in the middle of a burst', async () => {
    const { seen } = await connected(['job'])
    for (let i = 0; i < 5; i += 1) server.append('job:updated')
    await environment.settle()
    environment.hide()

    expect(seen).toHaveLength(5)
    expect(environment.items.get(CURSOR)).toBe('k3f9q2:5')
  })

  it('resumes from the cursor of the page before', async () => {
    server.append('job:created')
    server.append('job:updated')
    environment.items.set(CURSOR, 'k3f9q2:1')

    const { seen } = await connected(['job'])

    expect(seen).toEqual(['job:updated 2'])
  })

  it('advances a narrow filter by heartbeats', async () => {
    await connected(['material'])
    for (let i = 0; i < 50; i += 1) server.append('job:updated')

    server.heartbeat()
    await environment.advance(SAVE_EVERY_MS)

    expect(environment.items.get(CURSOR)).toBe('k3f9q2:50')
  })

  it('drops what it has seen', async () => {
    const { seen } = await connected(['job'])
    const { frame } = server.append('job:created')

    server.connection.raw(frame)
    await environment.settle()

    expect(seen).toEqual(['job:created 1'])
  })

  it('misses nothing while disconnected on purpose', async () => {
    const { monitor, seen } = await connected(['job'])

    monitor.disconnect()
    server.append('job:created')
    void monitor.connect(URL)
    await environment.settle()

    expect(seen).toEqual(['job:created 1'])
  })

  it('neither loses nor doubles an event that crosses a change of filters', async () => {
    const { monitor, seen } = await connected(['job'])
    const patterns: (number | null)[] = []

    monitor.subscribe(['pattern'], (event) => patterns.push(event.offset))
    await Promise.resolve()
    // The command is on its way; the server commits both before it arrives.
    server.append('pattern:created')
    server.append('job:created')
    await environment.settle()

    expect(patterns).toEqual([1])
    expect(seen).toEqual(['job:created 2'])
  })

  it('reports what it cannot make good, and goes on where the new log is', async () => {
    const gaps: Gap[] = []
    const { seen } = await connected(['job'], { onGap: (gap) => gaps.push(gap) })
    server.append('job:created')
    await environment.settle()
    server.connection.cut()
    await environment.settle()
    for (let i = 0; i < 5; i += 1) server.append('job:updated')
    server.startNewEpoch('z9')

    await environment.advance(1000)
    server.append('job:completed')
    await environment.settle()

    const to = { epoch: server.epoch, offset: server.head - 1 }
    expect(gaps).toEqual([{ reason: 'epoch_changed', from: { epoch: 'k3f9q2', offset: 1 }, to }])
    expect(seen).toEqual(['job:created 1', `job:completed ${server.head}`])
  })

  it('has all that is still kept after it was away too long, and reports the rest', async () => {
    const gaps: Gap[] = []
    const { seen } = await connected(['job'], { onGap: (gap) => gaps.push(gap) })
    server.append('job:created')
    await environment.settle()
    server.connection.cut()
    await environment.settle()
    for (let i = 0; i < 5; i += 1) server.append('job:updated')
    server.forgetBefore(4)

    await environment.advance(1000)

    const place = (offset: number) => ({ epoch: 'k3f9q2', offset })
    expect(gaps).toEqual([{ reason: 'expired', from: place(1), to: place(3) }])
    expect(seen).toEqual(['job:created 1', 'job:updated 4', 'job:updated 5', 'job:updated 6'])
  })

  it('reports a loss the server tells of', async () => {
    const gaps: Gap[] = []
    await connected(['job'], { onGap: (gap) => gaps.push(gap) })

    server.connection.system('gap', { from: 1, to: 3, reason: 'damaged' })
    await environment.settle()

    const place = (offset: number) => ({ epoch: 'k3f9q2', offset })
    expect(gaps).toEqual([{ reason: 'damaged', from: place(0), to: place(3) }])
  })

  it('works with a server that knows only version 1', async () => {
    server.version = 1
    const { monitor, seen } = await connected(['job'])
    server.append('job:created')
    await environment.settle()
    server.connection.cut()
    await environment.advance(1000)

    server.append('job:updated')
    await environment.advance(600_000)

    expect(seen).toEqual(['job:created -', 'job:updated -'])
    expect(monitor.freshness).toBe('live')
    expect(server.connection.commands).toEqual([{ action: 'subscribe', filters: ['job'], id: 's2' }])
  })
})

describe('sharing', () => {
  it('uses one connection for one address, as long as somebody needs it', async () => {
    const { monitor: first } = await connected(['job'])
    const { monitor: second } = await connected(['pattern'])

    first.disconnect()
    await environment.settle()
    const afterFirst = [server.connections.length, server.connection.closedByClient, second.state.name]
    second.disconnect()

    expect(afterFirst).toEqual([1, null, 'open'])
    expect(first.state.name).toBe('idle')
    expect(server.connection.commands.at(-1)?.filters).toEqual(['pattern'])
    expect(server.connection.closedByClient?.code).toBe(1000)
  })

  it('makes two connections to two addresses', async () => {
    const { monitor } = await connected(['job'])

    void monitor.connect('ws://other/ws/monitor')
    await environment.settle()

    expect(server.connections).toHaveLength(2)
    expect(server.connections[0]?.closedByClient?.code).toBe(1000)
  })

  it('is as persistent as the most persistent', async () => {
    const { monitor } = await connected(['job'])
    await connected(['job'], { maxAttempts: Infinity })
    server.isUp = false

    server.connection.cut()
    await environment.advance(120_000)

    expect(['waiting', 'connecting']).toContain(monitor.state.name)
  })

  it('brings a returning session up to date without doubling anything for the others', async () => {
    const { monitor, seen } = await connected(['job'])
    const other = await connected(['job'])
    monitor.disconnect()
    server.append('job:created')
    await environment.settle()

    void monitor.connect(URL)
    await environment.settle()
    server.append('job:updated')
    await environment.settle()

    expect(seen).toEqual(['job:created 1', 'job:updated 2'])
    expect(other.seen).toEqual(['job:created 1', 'job:updated 2'])
  })
})

describe('freshness', () => {
  it('is lagging while events of the past still come, then live', async () => {
    environment.items.set(CURSOR, 'k3f9q2:0')
    server.append('job:created')
    const freshness: string[] = []
    const monitor: MonitorSession = session({ onChange: () => freshness.push(monitor.freshness) })
    monitor.subscribe(['job'], () => freshness.push('event'))

    void monitor.connect(URL)
    await environment.settle()

    expect(freshness.filter((value, index) => value !== freshness[index - 1])).toEqual([
      'offline',
      'lagging',
      'event',
      'live',
    ])
  })

  it('is lagging when a heartbeat says so', async () => {
    const { monitor } = await connected(['job'])

    server.heartbeat(5000)
    await environment.settle()
    const behind = monitor.freshness
    server.heartbeat(0)
    await environment.settle()

    expect([behind, monitor.freshness]).toEqual(['lagging', 'live'])
  })

  it('is stale after two and a half silent heartbeats, and a new connection is made', async () => {
    const { monitor } = await connected(['job'])
    await environment.advance(20_000)
    server.heartbeat()
    await environment.advance(37_499)
    const before = monitor.freshness

    await environment.advance(1)
    const silent = monitor.freshness
    const silence = monitor.silenceMs
    await environment.advance(1000)

    expect([before, silent, monitor.freshness]).toEqual(['live', 'stale', 'live'])
    expect(silence).toBe(37_500)
    expect(server.connections[0]?.closedByClient?.code).toBe(4008)
    expect(server.connections).toHaveLength(2)
  })

  it('is offline when the new connection cannot be made', async () => {
    const { monitor } = await connected(['job'])
    server.isUp = false

    await environment.advance(37_500)
    const silent = monitor.freshness
    await environment.advance(1000)

    expect([silent, monitor.freshness]).toEqual(['stale', 'offline'])
  })
})

describe('what the server says', () => {
  it('repeats a command that was refused for now', async () => {
    const errors: MonitorError[] = []
    server.refusals.push({
      code: 'rate_limited',
      message: 'too many commands',
      temporary: true,
      retry_after: 2,
    })
    const { seen } = await connected(['job'], { onError: (error) => errors.push(error) })

    await environment.advance(2000)
    server.append('job:created')
    await environment.settle()

    expect(errors).toMatchObject([
      { code: 'refused', serverCode: 'rate_limited', message: 'too many commands' },
    ])
    expect(server.connection.commands.map((command) => command.id)).toEqual(['s1', 's2'])
    expect(seen).toHaveLength(1)
  })

  it('reports a frame it cannot read and goes on', async () => {
    const errors: MonitorError[] = []
    const { seen } = await connected(['job'], { onError: (error) => errors.push(error) })

    server.connection.raw('{"type":"job:upd')
    server.append('job:created')
    await environment.settle()

    expect(errors.map((error) => error.code)).toEqual(['malformed_frame'])
    expect(seen).toEqual(['job:created 1'])
  })

  it('takes a connection that does not answer commands for dead', async () => {
    const { monitor } = await connected(['job'])
    const dead = server.connection
    vi.spyOn(dead, 'stepCommand').mockReturnValue(false)

    monitor.subscribe(['pattern'], () => undefined)
    await environment.advance(10_000)

    expect(dead.closedByClient?.code).toBe(4008)
  })
})

describe('ping', () => {
  it('tells how long the answer took', async () => {
    const { monitor } = await connected()
    const answer = monitor.ping()
    vi.spyOn(server, 'pump').mockImplementationOnce(() => undefined)

    await environment.advance(0)
    await environment.settle()

    expect(await answer).toBe(0)
    expect(server.connection.commands.at(-1)).toEqual({ action: 'ping' })
  })

  it('is null without a connection, and when the connection ends first', async () => {
    expect(await session().ping()).toBeNull()
    const { monitor } = await connected()
    const answer = monitor.ping()

    monitor.disconnect()

    expect(await answer).toBeNull()
  })
})
