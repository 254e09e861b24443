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
import type { EventHandler, Gap, Subscription } from './subscriptions'

export interface SessionOptions extends Partial<Persistence> {
  /** @default browserEnvironment */
  readonly environment?: Environment
  readonly onChange?: () => void
  readonly onGap?: (gap: Gap) => void
  readonly onError?: (error: MonitorError) => void
}

export interface SubscribeOptions {
  /**
   * How many events of the log before its head to go back at first.
   * @default 0
   */
  readonly last?: number
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

  constructor(options: SessionOptions = {}) {
    const {
      environment = browserEnvironment,
      maxAttempts = maxReconnectAttempts,
      jitter = false,
      wakes = false,
    } = options
    this.#environment = environment
    this.#options = options
    this.#consumer = {
      persistence: { maxAttempts, jitter, wakes },
      onChange: () => this.#changed(),
      onGap: (gap) => options.onGap?.(gap),
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
    { last = 0 }: SubscribeOptions = {},
  ): () => void {
    const subscription: Subscription = {
      mask: maskOf(filters),
      handler,
      onError: (cause) => {
        const what = cause instanceof Error ? cause.message : String(cause)
        this.#options.onError?.(
          new MonitorError('handler_failed', `a handler of events failed: ${what}`, { cause }),
        )
      },
      last,
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

  #join(url: string): MonitorClient {
    const clients = shared.get(this.#environment) ?? new Map<string, MonitorClient>()
    shared.set(this.#environment, clients)
    const client = clients.get(url) ?? new MonitorClient(url, this.#environment)
    clients.set(url, client)
    this.#client = client
    // Places in the log of one server mean nothing on another.
    if (this.#placesOf !== url) for (const subscription of this.#subscriptions) subscription.position = null
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
