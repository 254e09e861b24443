import { beforeEach, describe, expect, it } from 'vitest'
import { SAVE_EVERY_MS } from './cursor'
import { EntityMirror } from './entities'
import type { Replay, ReplayOptions } from './past'
import { MonitorSession, type SessionOptions } from './session'
import { FakeBrowser, FakeEnvironment } from './testing'

const URL = 'ws://shop/ws/monitor'

let browser: FakeBrowser
let server: FakeBrowser['server']

beforeEach(() => {
  browser = new FakeBrowser()
  server = browser.server
})

class Tab {
  readonly environment = new FakeEnvironment(browser)
  readonly live: (number | null)[] = []
  readonly replayed: (number | null)[] = []
  readonly states: string[] = []
  readonly errors: (string | null)[] = []
  readonly mirror = new EntityMirror()
  readonly session: MonitorSession

  constructor(options: SessionOptions = {}) {
    this.session = new MonitorSession({ environment: this.environment, maxAttempts: Infinity, ...options })
    this.session.subscribe(['job'], ({ offset }) => this.live.push(offset))
    this.session.subscribe(['job'], this.mirror.apply, { snapshot: this.mirror.replace })
    void this.session.connect(URL).catch(() => undefined)
  }

  replay(options: ReplayOptions): Replay {
    return this.session.replay(options, {
      onEvent: ({ offset }) => this.replayed.push(offset),
      onStatus: ({ state }) => this.states.push(state),
      onError: (error) => this.errors.push(error.serverCode),
    })
  }
}

async function open(options: SessionOptions = {}): Promise<Tab> {
  const tab = new Tab(options)
  await browser.settle()
  return tab
}

function makeJobs(count: number): void {
  for (let version = 1; version <= count; version += 1)
    server.append('job:updated', { id: 'j1', version }, { key: 'job/j1', version })
}

describe.each([
  ['a tab with a connection of its own', {}],
  ['a tab that shares its connection', { acrossTabs: true, wakes: true }],
])('a replay in %s', (_name, options) => {
  it('goes to its listener and leaves what is live alone', async () => {
    const tab = await open(options)
    makeJobs(3)
    await browser.advance(SAVE_EVERY_MS)
    const stored = tab.environment.items.get(`rmos.monitor.cursor ${URL}`)

    tab.replay({ from: 'k3f9q2:0', to: 'k3f9q2:2' })
    await browser.settle()
    server.connection.play(1)
    makeJobs(1)
    server.connection.play()
    await browser.advance(SAVE_EVERY_MS)

    expect(tab.replayed).toEqual([1, 2])
    expect(tab.live).toEqual([1, 2, 3, 4])
    expect(tab.states).toEqual(['playing', 'finished'])
    expect(tab.mirror.get('job/j1')).toMatchObject({ version: 1 })
    expect(stored).toBe('k3f9q2:3')
    expect(tab.environment.items.get(`rmos.monitor.cursor ${URL}`)).toBe('k3f9q2:4')
  })

  it('is steered', async () => {
    const tab = await open(options)
    makeJobs(4)
    const replay = tab.replay({ from: 'k3f9q2:0', speed: 60 })
    await browser.settle()
    server.connection.play(2)
    replay.pause()
    await browser.settle()
    server.connection.play()
    replay.seek('k3f9q2:3')
    replay.setSpeed('max')
    replay.resume()
    await browser.settle()
    const { speed } = replay.status
    server.connection.play()
    await browser.settle()

    expect(tab.replayed).toEqual([1, 2, 4])
    expect(speed).toBe('max')
    expect(replay.status).toMatchObject({ state: 'finished', offset: 4 })
  })

  it('hears nothing after it was stopped, and begins anew where it is sought', async () => {
    const tab = await open(options)
    makeJobs(3)
    const replay = tab.replay({ from: 'k3f9q2:0' })
    await browser.settle()
    server.connection.play(1)
    replay.stop()
    server.connection.play(1)
    await browser.settle()
    const before = [...tab.replayed]
    replay.seek('k3f9q2:2')
    await browser.settle()
    server.connection.play()
    await browser.settle()

    expect(before).toEqual([])
    expect(tab.replayed).toEqual([3])
    expect(replay.status.state).toBe('finished')
  })

  it('goes on after a lost connection from the place it had reached', async () => {
    const tab = await open(options)
    makeJobs(4)
    tab.replay({ from: 'k3f9q2:0', speed: 10 })
    await browser.settle()
    server.connection.play(2)
    await browser.settle()
    server.connection.cut()
    await browser.advance(2000)
    server.connection.play()
    await browser.settle()

    expect(server.connections).toHaveLength(2)
    expect(tab.replayed).toEqual([1, 2, 3, 4])
    expect(tab.states).toEqual(['playing', 'starting', 'playing', 'finished'])
  })

  it('ends after a lost connection where it would have ended without (PST-11)', async () => {
    const tab = await open(options)
    makeJobs(3)
    const replay = tab.replay({ from: 'k3f9q2:0' })
    await browser.settle()
    server.connection.play(1)
    await browser.settle()
    server.connection.cut()
    makeJobs(2)
    await browser.advance(2000)
    server.connection.play()
    await browser.settle()
    const first = [...tab.replayed]
    replay.seek('k3f9q2:3')
    await browser.settle()
    server.connection.play()
    await browser.settle()

    expect(first).toEqual([1, 2, 3])
    expect(tab.replayed).toEqual([1, 2, 3, 4, 5])
  })

  it('that is refused ends no other', async () => {
    const tab = await open(options)
    makeJobs(2)
    tab.replay({ from: 'k3f9q2:0' })
    const refused = tab.replay({ from: 'k3f9q2:99' })
    await browser.settle()
    server.connection.play()
    await browser.settle()

    expect(tab.errors).toEqual(['future_cursor'])
    expect(refused.status.state).toBe('stopped')
    expect(tab.replayed).toEqual([1, 2])
  })

  it('ends the one before it, which is told', async () => {
    const tab = await open(options)
    makeJobs(2)
    const first = tab.replay({ from: 'k3f9q2:0' })
    const heard: (number | null)[] = []
    await browser.settle()
    tab.session.replay({ from: 'k3f9q2:1' }, { onEvent: ({ offset }) => heard.push(offset) })
    await browser.settle()
    server.connection.play()
    await browser.settle()

    expect(first.status.state).toBe('stopped')
    expect(tab.replayed).toEqual([])
    expect(heard).toEqual([2])
  })

  it('stops with its session', async () => {
    const tab = await open(options)
    makeJobs(2)
    const replay = tab.replay({ from: 'k3f9q2:0' })
    await browser.settle()

    tab.session.disconnect()
    await browser.settle()

    expect(replay.status.state).toBe('stopped')
  })
})

describe('the state at a place', () => {
  it('is asked for one at a time, and each gets its own', async () => {
    const tab = await open()
    makeJobs(1)
    server.append('pattern:created', { id: 'p1' }, { key: 'pattern/p1', version: 1 })

    const answers = await Promise.all([
      ...[['job'], ['pattern']].map((filters) =>
        tab.session.stateAt('k3f9q2:1', { filters: filters as ['job'] }),
      ),
      browser.settle(),
    ])

    const [jobs, patterns] = answers
    expect(jobs).toMatchObject({ at: { offset: 2 }, joblogs: [{ id: 'j1' }], patterns: [] })
    expect(patterns).toMatchObject({ joblogs: [], patterns: [{ id: 'p1' }] })
    expect(tab.mirror.entries.size).toBe(1)
  })

  it('is refused without a connection, and when that ends', async () => {
    const tab = new Tab()
    const early = await tab.session.stateAt().catch((error: unknown) => error)
    await browser.settle()
    const asked = tab.session.stateAt().catch((error: unknown) => error)
    server.connection.cut()
    await browser.settle()

    expect(early).toMatchObject({ code: 'connection_failed' })
    expect(await asked).toMatchObject({ code: 'connection_failed' })
  })

  it('is refused by a server that knows no past', async () => {
    server.version = 1
    const tab = await open()

    const replay = tab.replay({ from: 'k3f9q2:0' })

    await expect(tab.session.stateAt()).rejects.toMatchObject({ code: 'refused' })
    expect(replay.status.state).toBe('stopped')
    expect(server.connection.commands.map(({ action }) => action)).toEqual(['subscribe'])
  })
})

describe('tabs that share a connection', () => {
  it('look at the past beside each other; one replay at a time', async () => {
    const [first, second] = [await open({ acrossTabs: true }), await open({ acrossTabs: true })]
    makeJobs(2)
    await browser.settle()

    const replay = first.replay({ from: 'k3f9q2:0' })
    await browser.settle()
    server.connection.play(1)
    second.replay({ from: 'k3f9q2:1' })
    await browser.settle()
    replay.pause()
    const state = second.session.stateAt()
    await browser.settle()
    server.connection.play()
    await browser.settle()

    expect(server.connections).toHaveLength(1)
    expect([first.replayed, second.replayed]).toEqual([[1], [2]])
    expect([first.states, second.states]).toEqual([
      ['playing', 'stopped'],
      ['playing', 'finished'],
    ])
    expect((await state).joblogs).toHaveLength(1)
    expect([first.live, second.live]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  it('free the server of the replay of one that is gone', async () => {
    const [, second] = [await open({ acrossTabs: true }), await open({ acrossTabs: true })]
    makeJobs(1)
    second.replay({ from: 'k3f9q2:0' })
    await browser.settle()

    second.environment.close()
    await browser.settle()

    expect(server.connection.commands.at(-1)).toMatchObject({ action: 'replay', stop: true })
  })
})
