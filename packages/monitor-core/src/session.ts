/**
 * One consumer's view of the monitor: its handlers, and whether it wants to be connected.
 *
 * Sessions of the same address share one connection. A session keeps its handlers and their positions while it is
 * disconnected, so that `disconnect` and later `connect` miss nothing.
 */

import { maxReconnectAttempts } from './backoff'
import { MonitorClient, type Consumer, type Persistence } from './client'
import { IDLE, type ConnectionState } from './connection'
import { browserEnvironment, type Environment } from './environment'
import { MonitorError } from './errors'
import { maskOf } from './filters'
import type { Freshness } from './freshness'
import type { Conflated, Snapshot } from './messages'
import type { PastWish, Replay, ReplayListener, ReplayOptions } from './past'
import { acrossTabs } from './sharing'
import type { EventHandler, Gap, Start, Subscription } from './subscriptions'

export interface SessionOptions extends Partial<Persistence> {
  /** @default browserEnvironment */
  readonly environment?: Environment
  /**
   * Whether all tabs of the browser share one connection, where the browser can. For pages whose tabs are all the same
   * user's.
   * @default false
   */
  readonly acrossTabs?: boolean
  readonly onChange?: () => void
  readonly onGap?: (gap: Gap) => void
  /** Called when updates were left out for later ones, which `mode: 'latest'` allows. */
  readonly onConflated?: (conflated: Omit<Conflated, 'kind'>) => void
  /**
   * Says who connects: an API key or a signed token, null for none. Called before every attempt to connect and when the
   * server says that the token ends soon. A page of the server itself has its cookie and needs none.
   * @default undefined
   */
  readonly getToken?: () => Promise<string | null>
  readonly onError?: (error: MonitorError) => void
}

export interface SubscribeOptions {
  /**
   * How many events of the log before its head to go back at first.
   * @default 0
   */
  readonly last?: number
  /**
   * Channels to narrow to: `machine:cnc1`, or `machine:*` for all of a kind. Left out: not narrowed.
   * @default undefined
   */
  readonly channels?: readonly string[]
  /**
   * Exact types to narrow to, e.g. `job:completed`. Left out: not narrowed.
   * @default undefined
   */
  readonly types?: readonly string[]
  /**
   * `latest`: of several updates of one thing at once the newest is enough; others who share the connection may want them all.
   * @default 'stream'
   */
  readonly mode?: 'stream' | 'latest'
  /**
   * Begin with the events of this time (RFC 3339).
   * @default undefined
   */
  readonly fromTime?: string
  /**
   * Gets the entities as they are before the first event, and anew after each loss: whoever applies the events to them
   * has the shop as it is, see `EntityMirror`.
   * @default undefined
   */
  readonly snapshot?: (snapshot: Snapshot) => void
  /**
   * Be refused, which `onError` tells, rather than begin later than asked because the log does not go back so far. Has an
   * effect where all who share the connection want it.
   * @default false
   */
  readonly strict?: boolean
}

/** Somebody who waits for the connection to open. */
interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: MonitorError) => void
}

/** The shared connections of each environment, by address. One that nobody uses any more is not kept. */
const shared = new WeakMap<Environment, Map<string, MonitorClient>>()

export class MonitorSession {
  readonly #environment: Environment
  readonly #options: SessionOptions
  readonly #consumer: Consumer
  readonly #subscriptions = new Set<Subscription>()
  #client: MonitorClient | null = null
  /** Address of the places the subscriptions stand at. */
  #placesOf: string | null = null
  readonly #waiters: Waiter[] = []
  /** The newest replay; it ends with the session's connection. */
  #replay: Replay | null = null

  constructor(options: SessionOptions = {}) {
    const {
      environment = browserEnvironment,
      maxAttempts = maxReconnectAttempts,
      jitter = false,
      wakes = false,
      acrossTabs: isShared = false,
    } = options
    this.#environment = isShared ? acrossTabs(environment) : environment
    this.#options = options
    this.#consumer = {
      persistence: { maxAttempts, jitter, wakes },
      onChange: () => this.#changed(),
      onGap: (gap) => options.onGap?.(gap),
      onConflated: ({ from, to, count }) => options.onConflated?.({ from, to, count }),
      getToken: options.getToken ?? null,
      onError: (error) => options.onError?.(error),
    }
  }

  get state(): ConnectionState {
    return this.#client?.state ?? IDLE
  }

  get freshness(): Freshness {
    return this.#client?.freshness ?? 'offline'
  }

  /** Milliseconds since the last frame from the server; 0 where it is not listened to. */
  get silenceMs(): number {
    return this.#client?.silenceMs ?? 0
  }

  /**
   * Connect, at once also where a later attempt is being waited for. Resolves when the server has said welcome.
   *
   * @throws MonitorError why this attempt failed; further ones may follow by themselves, `state` tells.
   */
  connect(url: string): Promise<void> {
    if (this.#client !== null && this.#client.url !== url) this.disconnect()
    const client = this.#client ?? this.#join(url)
    if (client.state.name === 'open') {
      this.#changed()
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      client.connect()
    })
  }

  /** Let go of the connection; it ends when no other session uses it. */
  disconnect(): void {
    const client = this.#client
    if (client === null) return
    this.#replay?.stop()
    this.#replay = null
    this.#client = null
    client.detach(this.#consumer, this.#subscriptions)
    if (!client.hasConsumers) shared.get(this.#environment)?.delete(client.url)
    this.#settle((waiter) =>
      waiter.reject(new MonitorError('disconnected', 'disconnected before the connection was open')),
    )
    this.#options.onChange?.()
  }

  /**
   * Hear events of these categories (all, when undefined), from now on or, where this tab was here before, from where it
   * left off. Works before, during and after connecting. Returns how to stop, which narrows what the server sends.
   *
   * @throws TypeError naming a filter that is none
   */
  subscribe(
    filters: readonly string[] | undefined,
    handler: EventHandler,
    { last = 0, channels, types, mode = 'stream', fromTime, snapshot, strict = false }: SubscribeOptions = {},
  ): () => void {
    const subscription: Subscription = {
      wants: {
        mask: maskOf(filters),
        channels: channels ?? null,
        types: types ?? null,
        latest: mode === 'latest',
      },
      handler,
      onError: (cause) => {
        const what = cause instanceof Error ? cause.message : String(cause)
        this.#options.onError?.(
          new MonitorError('handler_failed', `a handler of events failed: ${what}`, { cause }),
        )
      },
      last,
      start: startOf(snapshot !== undefined, fromTime),
      onSnapshot: snapshot ?? null,
      isStrict: strict,
      position: null,
    }
    this.#subscriptions.add(subscription)
    this.#client?.subscribe(this.#consumer, subscription)
    return () => {
      if (this.#subscriptions.delete(subscription)) this.#client?.unsubscribe(subscription)
    }
  }

  /** Milliseconds until the server answered; null when there was no answer. */
  ping(): Promise<number | null> {
    return this.#client?.ping() ?? Promise.resolve(null)
  }

  /**
   * The entities as they were at a place: a cursor, or a time (RFC 3339). Left out: now. It changes nothing of what is
   * heard live.
   *
   * @throws MonitorError (as a rejection) that there is no connection, or why the server refuses; `serverCode` tells
   */
  stateAt(at?: string, wish: PastWish = {}): Promise<Snapshot> {
    return this.#client?.past.state(at, wish) ?? Promise.reject(neverConnected())
  }

  /**
   * Hear a stretch of the log once more, at a speed. Its events go to the listener alone. A connection has one replay at a
   * time: another one, also that of another tab that shares the connection, ends it. It goes on by itself after a lost
   * connection, and ends with `disconnect`.
   *
   * @throws MonitorError that nobody has connected
   */
  replay(options: ReplayOptions, listener: ReplayListener): Replay {
    if (this.#client === null) throw neverConnected()
    this.#replay = this.#client.past.replay(options, listener)
    return this.#replay
  }

  #join(url: string): MonitorClient {
    const clients = shared.get(this.#environment) ?? new Map<string, MonitorClient>()
    shared.set(this.#environment, clients)
    const client = clients.get(url) ?? new MonitorClient(url, this.#environment)
    clients.set(url, client)
    this.#client = client
    if (this.#placesOf !== url) {
      for (const subscription of this.#subscriptions) {
        // Places in the log of one server mean nothing on another.
        subscription.position = null
        if (subscription.onSnapshot !== null) subscription.start = { snapshot: true }
      }
    }
    this.#placesOf = url
    client.attach(this.#consumer, this.#subscriptions)
    return client
  }

  #changed(): void {
    const { state } = this
    switch (state.name) {
      case 'open':
        this.#settle((waiter) => waiter.resolve())
        break
      case 'waiting':
        this.#settle((waiter) =>
          waiter.reject(
            new MonitorError('connection_failed', `WebSocket connection failed: ${state.reason}`),
          ),
        )
        break
      case 'abandoned': {
        const detail = state.cause === null ? state.reason : `${state.reason}: ${state.cause}`
        this.#settle((waiter) => waiter.reject(new MonitorError('abandoned', detail)))
        break
      }
      case 'idle':
        this.#settle((waiter) =>
          waiter.reject(new MonitorError('connection_failed', 'the server ended the connection')),
        )
        break
      case 'connecting':
        break
    }
    this.#options.onChange?.()
  }

  #settle(end: (waiter: Waiter) => void): void {
    for (const waiter of this.#waiters.splice(0)) end(waiter)
  }
}

function neverConnected(): MonitorError {
  return new MonitorError('disconnected', 'nobody has connected')
}

function startOf(hasSnapshot: boolean, fromTime: string | undefined): Start | null {
  if (hasSnapshot) return { snapshot: true }
  return fromTime === undefined ? null : { from_time: fromTime }
}
