import { FakeEnvironment } from '@rmos/monitor-core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import {
  defaultUrl,
  initialDelay,
  maxDelay,
  maxReconnectAttempts,
  useWebSocket,
  type Gap,
  type UseWebSocketOptions,
  type UseWebSocketReturn,
} from './useWebSocket'

const URL = 'ws://shop/ws/monitor'

let environment: FakeEnvironment
let scope: EffectScope

beforeEach(() => {
  environment = new FakeEnvironment()
  scope = effectScope()
})

function use(options: UseWebSocketOptions = {}): UseWebSocketReturn {
  const socket = scope.run(() => useWebSocket({ url: URL, environment, ...options }))
  if (socket === undefined) throw new Error('the scope is over')
  return socket
}

describe('useWebSocket', () => {
  it('has the published constants', () => {
    expect([maxReconnectAttempts, initialDelay, maxDelay]).toEqual([5, 1000, 16_000])
  })

  it('connects, delivers and disconnects', async () => {
    const { connect, disconnect, isConnected, subscribe } = use()
    const seen: string[] = []
    const unsubscribe = subscribe(['job', 'pattern'], (event) => seen.push(event.type))
    const done = connect()
    const before = isConnected.value
    await environment.settle()
    await done

    environment.server.append('job:created')
    environment.server.append('material:created')
    await environment.settle()
    const during = isConnected.value
    unsubscribe()
    disconnect()

    expect([before, during, isConnected.value]).toEqual([false, true, false])
    expect(seen).toEqual(['job:created'])
  })

  it('takes the address given to connect', async () => {
    const { connect, isConnected } = use()

    void connect('ws://other/ws/monitor')
    await environment.settle()

    expect(isConnected.value).toBe(true)
  })

  it('counts the reconnects and says why there is no connection', async () => {
    const { connect, reconnectAttempts, failure, state } = use()
    void connect()
    await environment.settle()
    environment.server.isUp = false
    environment.server.connection.cut()
    const attempts: number[] = []

    await environment.settle()
    while (state.value.name === 'waiting') {
      attempts.push(reconnectAttempts.value)
      await environment.advance(environment.nextTimerMs ?? 0)
    }

    expect(attempts).toEqual([1, 2, 3, 4, 5])
    expect(reconnectAttempts.value).toBe(0)
    expect(failure.value).toBe('Max reconnection attempts reached')
  })

  it('tells of losses', async () => {
    const gaps: Gap[] = []
    const { connect, subscribe } = use({ onGap: (gap) => gaps.push(gap) })
    environment.items.set(`rmos.monitor.cursor ${URL}`, 'other:3')
    subscribe(['job'], () => undefined)

    void connect()
    await environment.settle()

    expect(gaps.map((gap) => gap.reason)).toEqual(['epoch_changed'])
  })

  it('pings', async () => {
    const { connect, ping } = use()
    void connect()
    await environment.settle()

    const answer = ping()
    await environment.settle()

    expect(await answer).toBe(0)
  })

  it('lets go of the connection with its scope', async () => {
    const { connect } = use()
    void connect()
    await environment.settle()

    scope.stop()

    expect(environment.server.connection.closedByClient?.code).toBe(1000)
  })

  it('uses the browser where no environment is given', async () => {
    const { connect } = scope.run(() => useWebSocket({ url: 'no address' })) as UseWebSocketReturn // the scope is active

    await expect(connect()).rejects.toThrow('cannot connect to no address')
  })
})

describe('defaultUrl', () => {
  it.each([
    ['http://127.0.0.1:8000/live', 'ws://127.0.0.1:8000/ws/monitor'],
    ['https://shop.example/live', 'wss://shop.example/ws/monitor'],
    ['https://shop.example:8443/', 'wss://shop.example:8443/ws/monitor'],
    ['http://localhost:5173/live', 'ws://localhost:8000/ws/monitor'],
    ['http://[::1]:8000/', 'ws://[::1]:8000/ws/monitor'],
  ])('of a page at %s is %s', (page, expected) => {
    expect(defaultUrl(new globalThis.URL(page))).toBe(expected)
  })
})
