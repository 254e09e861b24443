import { beforeEach, describe, expect, it } from 'vitest'
import { EntityMirror } from './entities'
import { MonitorSession, type SessionOptions, type SubscribeOptions } from './session'
import { FakeEnvironment } from './testing'

const URL = 'ws://shop/ws/monitor'

let environment: FakeEnvironment
let server: FakeEnvironment['server']

beforeEach(() => {
  environment = new FakeEnvironment()
  server = environment.server
})

/** A session with one handler, and what that saw. */
function hear(filters: string[] | undefined, wish: SubscribeOptions = {}, options: SessionOptions = {}) {
  const seen: (number | null)[] = []
  const monitor = new MonitorSession({ environment, ...options })
  monitor.subscribe(filters, ({ offset }) => seen.push(offset), wish)
  void monitor.connect(URL).catch(() => undefined)
  return { monitor, seen }
}

const commands = () => server.connection.commands
const asked = () =>
  commands()
    .filter(({ action }) => action === 'subscribe')
    .at(-1)

describe('a wish of version 2', () => {
  it('is what the server is asked for', async () => {
    hear(['job'], { channels: ['machine:cnc1'], types: ['job:failed'], mode: 'latest' })
    await environment.settle()

    expect(asked()).toEqual({
      action: 'subscribe',
      filters: ['job'],
      channels: ['machine:cnc1'],
      types: ['job:failed'],
      mode: 'latest',
      id: 's1',
    })
  })

  it('widens for others on the connection, and each hears its own', async () => {
    const narrow = hear(['job'], { channels: ['machine:*'], types: ['job:failed'] })
    const wide = hear(['job', 'pattern'])
    await environment.settle()

    server.append('job:failed', {}, { channels: ['machine:cnc1'] })
    server.append('job:failed', {}, { channels: ['project:p7'] })
    server.append('job:updated', {}, { channels: ['machine:cnc1'] })
    await environment.settle()

    expect(asked()).toMatchObject({ filters: ['job', 'pattern'] })
    expect(asked()).not.toHaveProperty('channels')
    expect(asked()).not.toHaveProperty('mode')
    expect(narrow.seen).toEqual([1])
    expect(wide.seen).toEqual([1, 2, 3])
  })

  it('may begin at a time, which takes nothing from those who were there before', async () => {
    for (let n = 0; n < 6; n += 1) server.append('job:updated')
    const present = hear(['job'])
    await environment.settle()
    // The fake takes a number for the time of that event.
    const past = hear(['job'], { fromTime: '3' })
    server.append('job:updated')
    await environment.settle()

    expect(past.seen).toEqual([3, 4, 5, 6, 7])
    expect(present.seen).toEqual([7])
  })

  it('that is strict is refused in words rather than fulfilled in part', async () => {
    const errors: (string | null)[] = []
    for (let n = 0; n < 6; n += 1) server.append('job:updated')
    server.forgetBefore(4)
    const { monitor, seen } = hear(
      ['job'],
      { fromTime: '2', strict: true },
      { onError: ({ serverCode }) => errors.push(serverCode) },
    )
    await environment.settle()

    expect(errors).toEqual(['too_far'])
    expect(seen).toEqual([])
    expect(monitor.freshness).toBe('stale')
  })

  it('for the latest tells what was left out', async () => {
    const told: unknown[] = []
    hear(['job'], { mode: 'latest' }, { onConflated: (conflated) => told.push(conflated) })
    await environment.settle()

    server.connection.system('conflated', { from: 1, to: 9, count: 7 })
    await environment.settle()

    expect(told).toEqual([{ from: 1, to: 9, count: 7 }])
  })
})

describe('a snapshot', () => {
  const job = (id: string, version: number) => ({ id, version, machine_id: 'cnc1' })

  it('comes before the events after it, and is asked for again when it was cut off', async () => {
    server.append('job:created', job('a', 1), { key: 'job/a', version: 1 })
    server.append('job:created', job('b', 1), { key: 'job/b', version: 1 })
    const mirror = new EntityMirror()
    const monitor = new MonitorSession({ environment })
    monitor.subscribe(['job'], mirror.apply, { snapshot: mirror.replace })
    void monitor.connect(URL)
    while (mirror.entries.size === 0 && asked() === undefined) server.connection.step()
    server.connection.step()
    server.connection.cut()
    server.append('job:deleted', job('a', 1), { key: 'job/a', version: 1 })

    await environment.advance(2000)
    server.append('job:updated', job('b', 2), { key: 'job/b', version: 2 })
    await environment.settle()

    expect(asked()).toMatchObject({ snapshot: true })
    expect([...mirror.entries]).toEqual([['job/b', job('b', 2)]])
  })

  it('holds what its handler asked for, whatever others share the connection', async () => {
    server.append('job:created', job('a', 1), { key: 'job/a', version: 1 })
    server.append('pattern:created', { id: 'p', version: 1 }, { key: 'pattern/p', version: 1 })
    const ids: string[][] = []
    hear(undefined)
    hear(undefined, {
      channels: ['machine:*'],
      snapshot: ({ patterns, joblogs }) => ids.push([...patterns, ...joblogs].map(({ id }) => id as string)),
    })
    await environment.settle()

    expect(ids).toEqual([['a']])
  })

  it('heals a loss, which is then none to report', async () => {
    const gaps: string[] = []
    const mirror = new EntityMirror()
    const monitor = new MonitorSession({ environment, onGap: ({ reason }) => gaps.push(reason) })
    monitor.subscribe(['job'], mirror.apply, { snapshot: mirror.replace })
    void monitor.connect(URL)
    await environment.settle()
    server.connection.cut()
    server.append('job:created', job('a', 1), { key: 'job/a', version: 1 })
    server.append('job:updated', job('a', 2), { key: 'job/a', version: 2 })
    server.forgetBefore(3)

    await environment.advance(2000)

    expect(gaps).toEqual([])
    expect(mirror.get('job/a')).toEqual(job('a', 2))
  })
})

describe('a token', () => {
  it('is asked for before every connection and goes with the handshake', async () => {
    const tokens = ['rmos_ä?', 'second']
    hear(undefined, {}, { getToken: () => Promise.resolve(tokens.shift() ?? null) })
    await environment.settle()
    const first = server.connection.protocols
    server.connection.close(4301)
    await environment.advance(1000)

    expect(first).toEqual(['rmos.monitor.v2', 'rmos.monitor.v1', 'bearer.cm1vc1_DpD8'])
    expect(server.connection.protocols.at(-1)).toBe('bearer.c2Vjb25k')
  })

  it('is renewed on the open connection when it ends soon', async () => {
    const tokens = ['first', 'second']
    const { seen } = hear(undefined, {}, { getToken: () => Promise.resolve(tokens.shift() ?? null) })
    await environment.settle()

    server.connection.system('token_expiring', { expires_at: '2026-11-24T10:00:00.000Z' })
    await environment.settle()
    server.append('job:created')
    await environment.settle()

    expect(server.tokens).toEqual(['second'])
    expect(server.connections).toHaveLength(1)
    expect(seen).toEqual([1])
  })

  it('that cannot be had is told, and asked for again', async () => {
    let isBroken = true
    const getToken = () => (isBroken ? Promise.reject(new Error('no answer')) : Promise.resolve('t'))
    const { monitor } = hear(undefined, {}, { getToken })
    await environment.settle()
    const { state } = monitor

    isBroken = false
    await environment.advance(1000)

    expect(state).toMatchObject({ name: 'waiting', reason: expect.stringContaining('no answer') as string })
    expect(monitor.state.name).toBe('open')
  })

  it('that comes too late connects nobody', async () => {
    let give: (token: string) => void = () => undefined
    const { monitor } = hear(undefined, {}, { getToken: () => new Promise((resolve) => (give = resolve)) })

    monitor.disconnect()
    give('late')
    await environment.settle()

    expect(server.connections).toEqual([])
  })

  it.each([4401, 4403])('that is refused with %i stops the client', async (code) => {
    server.refusal = code
    const { monitor } = hear(undefined, {}, { getToken: () => Promise.resolve('t') })
    await environment.advance(60_000)

    expect(monitor.state.name).toBe('abandoned')
    expect(server.connections).toHaveLength(1)
  })
})
