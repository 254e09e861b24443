import { beforeEach, describe, expect, it, vi } from 'vitest'
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
  readonly seen: string[] = []
  readonly gaps: string[] = []
  readonly session: MonitorSession

  constructor(filters?: string[], options: SessionOptions = {}) {
    this.session = new MonitorSession({
      environment: this.environment,
      acrossTabs: true,
      maxAttempts: Infinity,
      wakes: true,
      onGap: ({ reason }) => this.gaps.push(reason),
      ...options,
    })
    this.session.subscribe(filters, ({ type, offset }) => this.seen.push(`${type} ${offset ?? '-'}`))
    void this.session.connect(URL).catch(() => undefined)
  }
}

async function open(...filters: (string[] | undefined)[]): Promise<Tab[]> {
  const tabs = []
  for (const each of filters) {
    tabs.push(new Tab(each))
    await browser.settle()
  }
  return tabs
}

const states = (tabs: Tab[]) => tabs.map(({ session }) => session.state.name)
const lastFilters = () => server.connection.commands.at(-1)?.filters

describe('tabs that share a connection', () => {
  it('have one, and each hears what it asked for', async () => {
    const tabs = await open(['job'], ['pattern'], undefined)

    server.append('job:created')
    server.append('pattern:created')
    await browser.settle()

    expect(server.connections).toHaveLength(1)
    expect(tabs.map(({ seen }) => seen)).toEqual([
      ['job:created 1'],
      ['pattern:created 2'],
      ['job:created 1', 'pattern:created 2'],
    ])
  })

  it('are posted frames only while there are several', async () => {
    const post = vi.spyOn(browser, 'post')
    const framesPosted = () =>
      post.mock.calls.filter(([, , note]) => (note as { kind: string }).kind === 'frame')
    const [leader] = await open(undefined)
    server.append('job:created')
    await browser.settle()
    const alone = framesPosted().length

    const [other] = await open(undefined)
    server.append('job:updated')
    await browser.settle()
    const together = framesPosted().length
    other?.environment.close()
    await browser.settle()
    server.append('job:completed')
    await browser.settle()

    expect([alone, framesPosted().length]).toEqual([0, together])
    expect(together).toBeGreaterThan(0)
    expect(other?.seen).toEqual(['job:updated 2'])
    expect(leader?.seen).toEqual(['job:created 1', 'job:updated 2', 'job:completed 3'])
  })

  it('ask the server for no more than they want together', async () => {
    const [jobs, patterns] = await open(['job'], ['pattern'])
    const both = lastFilters()

    patterns?.session.disconnect()
    await browser.settle()

    expect(both).toEqual(['job', 'pattern'])
    expect(lastFilters()).toEqual(['job'])
    expect(jobs?.session.state.name).toBe('open')
  })

  it('go on without loss or doubles when the leader is killed', async () => {
    const [leader, ...others] = await open(undefined, undefined, undefined)
    server.append('job:created')
    await browser.settle()
    // One event is on its way to the leader, another comes when nobody leads.
    server.append('job:updated')
    server.pump()

    leader?.environment.close()
    server.append('job:completed')
    await browser.settle()

    expect(server.open).toHaveLength(1)
    expect(states(others)).toEqual(['open', 'open'])
    for (const { seen, gaps } of others) {
      expect(seen).toEqual(['job:created 1', 'job:updated 2', 'job:completed 3'])
      expect(gaps).toEqual([])
    }
  })

  it('make a tab that comes back hear what it missed, and no other tab twice', async () => {
    const [first, second] = await open(undefined, undefined)
    second?.session.disconnect()
    server.append('job:created')
    await browser.settle()

    void second?.session.connect(URL)
    await browser.settle()

    expect(first?.seen).toEqual(['job:created 1'])
    expect(second?.seen).toEqual(['job:created 1'])
  })

  it('spare the others the loss of one that was away too long', async () => {
    const [first, second] = await open(undefined, undefined)
    second?.session.disconnect()
    for (let n = 0; n < 5; n += 1) server.append('job:created')
    await browser.settle()
    server.forgetBefore(4)

    void second?.session.connect(URL)
    await browser.settle()
    server.append('job:updated')
    await browser.settle()

    expect(second?.gaps).toEqual(['expired'])
    expect(second?.seen).toEqual(['job:updated 6'])
    expect(first?.gaps).toEqual([])
    expect(first?.seen).toHaveLength(6)
  })

  it('lose the connection together and come back together', async () => {
    const tabs = await open(undefined, undefined)
    server.isUp = false
    server.connection.cut()
    await browser.settle()
    const lost = states(tabs)
    server.append('job:created')
    server.isUp = true

    // The first to try succeeds; the other need not wait for its own turn.
    await browser.advance(1000)

    expect(lost).toEqual(['waiting', 'waiting'])
    expect(states(tabs)).toEqual(['open', 'open'])
    expect(server.open).toHaveLength(1)
    expect(tabs.map(({ seen }) => seen)).toEqual([['job:created 1'], ['job:created 1']])
  })

  it('stop together when the server refuses', async () => {
    server.refusal = 4403

    const tabs = await open(undefined, undefined)

    expect(states(tabs)).toEqual(['abandoned', 'abandoned'])
  })

  it('end the connection when the last of them lets go', async () => {
    const [first, second] = await open(undefined, undefined)

    first?.session.disconnect()
    await browser.settle()
    const between = server.open.length
    second?.session.disconnect()
    await browser.settle()

    expect([between, server.open.length]).toEqual([1, 0])
    expect(server.connection.closedByClient?.code).toBe(1000)
  })

  it('let go of a page that was killed', async () => {
    const [, second] = await open(['job'], ['pattern'])

    second?.environment.close()
    await browser.settle()

    expect(lastFilters()).toEqual(['job'])
  })

  it('do without a leader that hangs', async () => {
    const [leader] = await open(undefined)
    if (leader !== undefined) leader.environment.page.isAwake = false
    const [second] = await open(undefined)

    await browser.advance(3000)
    server.append('job:created')
    await browser.settle()

    expect(second?.seen).toEqual(['job:created 1'])
    expect(server.open).toHaveLength(2)
  })

  it('measure the time to the server each for itself', async () => {
    const tabs = await open(undefined, undefined)

    const answers = Promise.all(tabs.map(({ session }) => session.ping()))
    await browser.settle()

    expect(await answers).toEqual([0, 0])
  })

  it('notice together that the line went silent', async () => {
    const tabs = await open(undefined, undefined)
    server.isUp = false

    await browser.advance(37_500)

    expect(tabs.map(({ session }) => session.freshness)).toEqual(['stale', 'stale'])
    expect(server.connections[0]?.closedByClient?.code).toBe(4008)
  })

  it('work with a server of version 1', async () => {
    server.version = 1
    const tabs = await open(['job'], ['pattern'])

    server.append('job:created')
    server.append('pattern:created')
    await browser.settle()

    expect(tabs.map(({ seen }) => seen)).toEqual([['job:created -'], ['pattern:created -']])
  })
})

describe('where tabs cannot know of each other', () => {
  it('each has a connection of its own', async () => {
    for (let n = 0; n < 2; n += 1) {
      const environment = new FakeEnvironment(browser)
      environment.tabs = null
      void new MonitorSession({ environment, acrossTabs: true }).connect(URL)
    }
    await browser.settle()

    expect(server.open).toHaveLength(2)
  })
})
