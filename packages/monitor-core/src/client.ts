/**
 * One connection to one address, shared by all who use it.
 *
 * Carries out the effects of the connection's reducer with a real socket and real timers, and passes the frames on.
 * Consumers come and go (`attach`, `detach`); the connection lives while there is one.
 */

import { announcementOf } from './closeCodes'
import { decode, encode } from './codec'
import {
  IDLE,
  reduce,
  type ConnectionEffect,
  type ConnectionInput,
  type ConnectionPolicy,
  type ConnectionState,
} from './connection'
import { CursorMemory } from './cursor'
import type { Environment, WebSocketLike } from './environment'
import { MonitorError } from './errors'
import { freshnessOf, type Freshness } from './freshness'
import type { Closing, Command, Conflated, ServerMessage } from './messages'
import { Past } from './past'
import { Subscriber } from './subscriber'
import { Subscriptions, type Gap, type Subscription } from './subscriptions'
import { Watchdog } from './watchdog'

/** Offered in this order; the server takes the first it knows. */
export const SUBPROTOCOLS = ['rmos.monitor.v2', 'rmos.monitor.v1']

/** How persistently a consumer wants to be connected. */
export interface Persistence {
  /** Reconnects in a row; `Infinity` never gives up. */
  readonly maxAttempts: number
  /** Whether to spread the waits at random. */
  readonly jitter: boolean
  /** Whether to try at once when the network is back or the page is looked at again. */
  readonly wakes: boolean
}

/** Who uses the connection. */
export interface Consumer {
  readonly persistence: Persistence
  /** State, freshness or attempts may have changed. */
  onChange(): void
  onGap(gap: Gap): void
  /** Updates were left out for later ones, as asked for. */
  onConflated(conflated: Conflated): void
  /** Says who connects, see `SessionOptions`; null: the browser does (a cookie), or nobody needs to. */
  readonly getToken: (() => Promise<string | null>) | null
  onError(error: MonitorError): void
}

export class MonitorClient {
  readonly url: string
  readonly #environment: Environment
  readonly #memory: CursorMemory
  readonly #subscriptions: Subscriptions
  readonly #subscriber: Subscriber
  readonly #watchdog: Watchdog
  /** Looks at the past, which know nothing of the live stream. */
  readonly past: Past
  readonly #consumers = new Set<Consumer>()
  readonly #inputs: ConnectionInput[] = []
  #isReducing = false
  #state: ConnectionState = IDLE
  #socket: WebSocketLike | null = null
  #timer: unknown = null
  /** Counts attempts, so that a token that comes late dials for none but its own. */
  #attempt = 0
  #announced: Closing | null = null
  #lag = 0
  #pings: { readonly sentAt: number; readonly resolve: (milliseconds: number | null) => void }[] = []
  #stopWatchingPage: (() => void) | null = null

  constructor(url: string, environment: Environment) {
    this.url = url
    this.#environment = environment
    this.#memory = new CursorMemory(environment, url)
    this.#subscriptions = new Subscriptions(this.#memory.load())
    this.#subscriber = new Subscriber(
      this.#subscriptions,
      environment,
      (command) => this.#send(command),
      () => this.#input({ type: 'silent' }),
    )
    this.past = new Past(environment, (command) => this.#send(command))
    this.#watchdog = new Watchdog(environment, () => this.#input({ type: 'silent' }))
  }

  get state(): ConnectionState {
    return this.#state
  }

  get freshness(): Freshness {
    const { isRefused, isCatchingUp } = this.#subscriber
    return freshnessOf(this.#state, { isRefused, isCatchingUp, lag: this.#lag })
  }

  /** Milliseconds since the last frame from the server. */
  get silenceMs(): number {
    return this.#watchdog.silenceMs
  }

  get hasConsumers(): boolean {
    return this.#consumers.size > 0
  }

  attach(consumer: Consumer, subscriptions: Iterable<Subscription>): void {
    this.#consumers.add(consumer)
    this.#stopWatchingPage ??= this.#watchPage()
    for (const subscription of subscriptions) this.subscribe(consumer, subscription)
  }

  #watchPage(): () => void {
    const stopWaking = this.#environment.onWake(() => this.#input({ type: 'wake' }))
    const stopHiding = this.#environment.onHide(() => this.#memory.flush())
    return () => {
      stopWaking()
      stopHiding()
    }
  }

  /** Let go of the connection. Who is the last one ends it. */
  detach(consumer: Consumer, subscriptions: Iterable<Subscription>): void {
    for (const subscription of subscriptions) this.unsubscribe(subscription)
    this.#consumers.delete(consumer)
    if (this.#consumers.size > 0) return
    this.#stopWatchingPage?.()
    this.#stopWatchingPage = null
    this.#input({ type: 'disconnect' })
  }

  /** Try now, unless there is a connection or an attempt already. */
  connect(): void {
    this.#input({ type: 'connect' })
  }

  subscribe(consumer: Consumer, subscription: Subscription): void {
    const gap = this.#subscriptions.add(subscription)
    if (gap !== null) consumer.onGap(gap)
    this.#subscriber.changed()
  }

  unsubscribe(subscription: Subscription): void {
    this.#subscriptions.remove(subscription)
    this.#subscriber.changed()
    this.#remember()
  }

  /** Milliseconds until the server answered; null when it did not before the connection ended, or there is none. */
  ping(): Promise<number | null> {
    if (this.#state.name !== 'open') return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#pings.push({ sentAt: this.#environment.now(), resolve })
      this.#send({ action: 'ping' })
    })
  }

  #policy(): ConnectionPolicy {
    // Who shares a connection gets the most persistent of all wishes.
    const wishes = [...this.#consumers].map((consumer) => consumer.persistence)
    return {
      maxAttempts: Math.max(0, ...wishes.map((wish) => wish.maxAttempts)),
      random: wishes.some((wish) => wish.jitter) ? this.#environment.random() : null,
      wakes: wishes.some((wish) => wish.wakes),
    }
  }

  /** An effect may cause the next input at once (an address that cannot be dialled), so inputs queue up. */
  #input(input: ConnectionInput): void {
    this.#inputs.push(input)
    if (this.#isReducing) return
    this.#isReducing = true
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const [state, effects] = reduce(this.#state, next, this.#policy())
        this.#state = state
        for (const effect of effects) this.#carryOut(effect)
      }
    } finally {
      this.#isReducing = false
    }
    this.#changed()
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.type) {
      case 'dial':
        this.#dial()
        break
      case 'hang-up':
        this.#hangUp(effect.code, effect.reason)
        break
      case 'set-timer':
        this.#timer = this.#environment.setTimer(() => {
          this.#timer = null
          this.#input({ type: 'timer' })
        }, effect.ms)
        break
      case 'clear-timer':
        if (this.#timer !== null) this.#environment.clearTimer(this.#timer)
        this.#timer = null
        break
    }
  }

  #dial(): void {
    this.#announced = null
    const getToken = this.#getToken
    if (getToken === null) {
      this.#open([])
      return
    }
    const attempt = ++this.#attempt
    getToken().then(
      (token) => {
        if (attempt === this.#attempt) this.#open(token === null ? [] : [bearerOf(token)])
      },
      (error: unknown) => {
        if (attempt !== this.#attempt) return
        this.#input({
          type: 'closed',
          code: LOST,
          reason: `no access token: ${wordsOf(error)}`,
          retryAfterS: null,
        })
      },
    )
  }

  /** How to get a token, as somebody who shares the connection says. */
  get #getToken(): (() => Promise<string | null>) | null {
    for (const { getToken } of this.#consumers) if (getToken !== null) return getToken
    return null
  }

  /** The token ends soon: give another one on this connection. Without, the server ends it when the time comes. */
  async #refreshToken(): Promise<void> {
    const socket = this.#socket
    try {
      const token = (await this.#getToken?.()) ?? null
      if (token !== null && socket === this.#socket) this.#send({ action: 'auth', token })
    } catch (error) {
      this.#tellError(new MonitorError('no_token', `no access token: ${wordsOf(error)}`, { cause: error }))
    }
  }

  #open(credentials: string[]): void {
    let socket: WebSocketLike
    try {
      socket = this.#environment.createSocket(this.url, [...SUBPROTOCOLS, ...credentials])
    } catch (error) {
      this.#input({ type: 'unusable', reason: `cannot connect to ${this.url}: ${wordsOf(error)}` })
      return
    }
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#received(decode(data))
    socket.onclose = ({ code, reason }) => {
      const announced = announcementOf(code, this.#announced)
      this.#ended()
      this.#input({
        type: 'closed',
        code: announced?.code ?? code,
        reason: announced?.reason ?? reason,
        retryAfterS: announced?.retryAfter ?? null,
      })
    }
  }

  #hangUp(code: number, reason: string): void {
    const socket = this.#socket
    this.#ended()
    socket?.close(code, reason)
  }

  /** The socket is of no more use, whichever side ended it; what it still says is not listened to. */
  #ended(): void {
    if (this.#socket !== null) {
      this.#socket.onmessage = null
      this.#socket.onclose = null
    }
    this.#socket = null
    this.#attempt += 1
    this.#lag = 0
    this.#watchdog.stop()
    this.#subscriber.closed()
    this.past.closed()
    this.#memory.flush()
    for (const { resolve } of this.#pings.splice(0)) resolve(null)
  }

  #send(command: Command): void {
    this.#socket?.send(encode(command))
  }

  #received(message: ServerMessage): void {
    this.#watchdog.heard()
    switch (message.kind) {
      case 'connected':
        if (this.#state.name !== 'connecting') break
        this.#watchdog.start(message.heartbeatS)
        this.#tellGap(this.#subscriber.opened(message))
        this.past.opened(message)
        this.#input({ type: 'welcomed' })
        break
      case 'event':
        if (message.isReplay) {
          this.past.replayed(message.event)
          break
        }
        this.#subscriptions.deliver(message.event)
        if (message.event.id !== null) this.#remember()
        break
      case 'subscribed':
        this.#tellGap(this.#subscriber.answered(message))
        this.#remember()
        this.#changed()
        break
      case 'caught_up':
        this.#subscriptions.reached(message.offset)
        this.#subscriber.caughtUp()
        this.#remember()
        this.#changed()
        break
      case 'heartbeat':
        this.#subscriptions.reached(message.offset)
        this.#lag = message.lag
        this.#remember()
        this.#changed()
        break
      case 'pong': {
        const ping = this.#pings.shift()
        ping?.resolve(this.#environment.now() - ping.sentAt)
        break
      }
      case 'gap':
        this.#tellGap(this.#subscriber.lost(message))
        break
      case 'replay':
        this.past.told(message)
        break
      case 'snapshot':
        if (this.past.filled(message)) break
        this.#subscriber.filled(message)
        this.#remember()
        this.#changed()
        break
      case 'conflated':
        for (const consumer of [...this.#consumers]) consumer.onConflated(message)
        break
      case 'token_expiring':
        void this.#refreshToken()
        break
      case 'closing':
        this.#announced = message
        break
      case 'error':
        if (this.past.refused(message)) break
        this.#subscriber.refused(message)
        this.#tellError(new MonitorError('refused', message.message, { serverCode: message.code }))
        this.#changed()
        break
      case 'malformed':
        this.#tellError(
          new MonitorError('malformed_frame', `unreadable frame from the server: ${message.problem}`),
        )
        break
      case 'ignored':
        break
    }
  }

  #remember(): void {
    this.#memory.save(this.#subscriptions.resumePoint)
  }

  #changed(): void {
    for (const consumer of [...this.#consumers]) consumer.onChange()
  }

  #tellGap(gap: Gap | null): void {
    if (gap !== null) for (const consumer of [...this.#consumers]) consumer.onGap(gap)
  }

  #tellError(error: MonitorError): void {
    for (const consumer of [...this.#consumers]) consumer.onError(error)
  }
}

/** What a browser reports when a connection could not be made. */
const LOST = 1006

/** The subprotocol that carries a credential (PROTOCOL.md AUT-01): base64url, for it may hold what a header may not. */
function bearerOf(token: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(token))
  return `bearer.${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
