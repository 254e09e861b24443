/**
 * The shop's live events in a Vue component.
 *
 * ```ts
 * const { connect, isConnected, subscribe } = useWebSocket()
 * subscribe(['job', 'pattern'], (event) => show(event))
 * await connect()
 * ```
 *
 * All users of one address share one connection. Handlers and connection are let go of when the component (or whatever
 * effect scope this is called in) goes; nothing needs to be cleaned up by hand.
 */

import {
  MonitorSession,
  type ConnectionState,
  type Environment,
  type EventHandler,
  type Filter,
  type Freshness,
  type Gap,
  type MonitorError,
  type PastWish,
  type Replay,
  type ReplayListener,
  type ReplayOptions,
  type Snapshot,
  type SubscribeOptions,
} from '@rmos/monitor-core'
import {
  computed,
  getCurrentScope,
  onScopeDispose,
  shallowReadonly,
  shallowRef,
  type ComputedRef,
  type Ref,
} from 'vue'

export { initialDelay, maxDelay, maxReconnectAttempts } from '@rmos/monitor-core'
export type {
  ConnectionState,
  EventHandler,
  Filter,
  Freshness,
  Gap,
  MonitorError,
  MonitorEvent,
} from '@rmos/monitor-core'

export interface UseWebSocketOptions {
  /**
   * Address that `connect()` without one uses.
   * @default `/ws/monitor` of the page's own host, see `defaultUrl`
   */
  readonly url?: string
  /**
   * Reconnects in a row before the connection is given up; `Infinity` never does.
   * @default maxReconnectAttempts (5)
   */
  readonly maxReconnectAttempts?: number
  /**
   * Whether to draw each wait at random, so that many screens do not come back in the same moment.
   * @default false
   */
  readonly jitter?: boolean
  /**
   * Whether to try at once when the network is back or the page is looked at again.
   * @default false
   */
  readonly wakes?: boolean
  /**
   * Whether all tabs of the browser share one connection, where the browser can (Web Locks need https or localhost). For
   * pages whose tabs are all the same user's.
   * @default false
   */
  readonly acrossTabs?: boolean
  /**
   * Called when events were lost that cannot be made good: what is on the screen must be read anew.
   * @default undefined
   */
  readonly onGap?: (gap: Gap) => void
  /**
   * Called when updates were left out for later ones, which a subscription with `mode: 'latest'` allows.
   * @default undefined
   */
  readonly onConflated?: (conflated: { from: number; to: number; count: number }) => void
  /**
   * Says who connects: an API key or a signed token, null for none. Called before every attempt to connect and when the
   * server says that the token ends soon. A page that the server itself delivers has its cookie and needs none.
   * @default undefined
   */
  readonly getToken?: () => Promise<string | null>
  /**
   * Called with what a handler threw, what the server refused and frames that could not be read.
   * @default undefined
   */
  readonly onError?: (error: MonitorError) => void
  /**
   * Sockets, timers and storage to use; tests give their own.
   * @default browserEnvironment
   */
  readonly environment?: Environment
}

export interface UseWebSocketReturn {
  /**
   * Connect, at once also where a later attempt is being waited for. Resolves when the connection is open, rejects with
   * the reason when this attempt failed; further ones may follow by themselves.
   */
  readonly connect: (url?: string) => Promise<void>
  /** Let go of the connection. `disconnect(); await connect()` makes a new one. */
  readonly disconnect: () => void
  readonly isConnected: ComputedRef<boolean>
  /**
   * Hear events of these categories (all, when undefined). Works before, during and after connecting. Returns how to stop.
   *
   * @throws TypeError naming a filter that is none
   */
  readonly subscribe: (
    filters: readonly Filter[] | undefined,
    handler: EventHandler,
    options?: SubscribeOptions,
  ) => () => void
  /**
   * The entities as they were at a place: a cursor, or a time (RFC 3339). Left out: now.
   *
   * @throws MonitorError (as a rejection) that there is no connection, or why the server refuses
   */
  readonly stateAt: (at?: string, wish?: PastWish) => Promise<Snapshot>
  /**
   * Hear a stretch of the log once more, at a speed; what is heard live goes on beside it. A connection has one replay at
   * a time.
   *
   * @throws MonitorError that nobody has connected
   */
  readonly replay: (options: ReplayOptions, listener: ReplayListener) => Replay
  /** Ask the server for a sign of life: milliseconds until it answered, null when it did not. */
  readonly ping: () => Promise<number | null>
  /** Reconnects made in a row since the connection was last open. */
  readonly reconnectAttempts: ComputedRef<number>
  readonly state: Readonly<Ref<ConnectionState>>
  /** How far what is on the screen can be trusted to be the present. */
  readonly freshness: Readonly<Ref<Freshness>>
  /** Milliseconds since the server was last heard; 0 where it is not listened to. */
  readonly silenceMs: () => number
  /** Why there is no connection, in words; null while there is one, or none is wanted. */
  readonly failure: ComputedRef<string | null>
}

export function useWebSocket(options: UseWebSocketOptions = {}): UseWebSocketReturn {
  const { url, maxReconnectAttempts: maxAttempts, ...rest } = options
  const session = new MonitorSession({
    ...rest,
    ...(maxAttempts !== undefined && { maxAttempts }),
    onChange: () => {
      state.value = session.state
      freshness.value = session.freshness
    },
  })
  const state = shallowRef(session.state)
  const freshness = shallowRef(session.freshness)

  if (getCurrentScope() !== undefined) onScopeDispose(() => session.disconnect())

  return {
    connect: (address = url ?? defaultUrl()) => session.connect(address),
    disconnect: () => session.disconnect(),
    isConnected: computed(() => state.value.name === 'open'),
    subscribe: (filters, handler, more) => session.subscribe(filters, handler, more),
    stateAt: (at, wish) => session.stateAt(at, wish),
    replay: (past, listener) => session.replay(past, listener),
    ping: () => session.ping(),
    reconnectAttempts: computed(() => attemptsOf(state.value)),
    state: shallowReadonly(state),
    freshness: shallowReadonly(freshness),
    silenceMs: () => session.silenceMs,
    failure: computed(() => failureOf(state.value)),
  }
}

/** Port of Vite's development server, which serves pages and not the monitor. */
const VITE_PORT = '5173'

/** `/ws/monitor` of the host the page came from; on port 8000 where that is the development server. */
export function defaultUrl(
  location: Pick<Location, 'protocol' | 'hostname' | 'host' | 'port'> = window.location,
): string {
  const host = location.port === VITE_PORT ? `${location.hostname}:8000` : location.host
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/ws/monitor`
}

function attemptsOf(state: ConnectionState): number {
  return state.name === 'waiting' || state.name === 'connecting' ? state.attempt : 0
}

function failureOf(state: ConnectionState): string | null {
  return state.name === 'waiting' || state.name === 'abandoned' ? state.reason : null
}
