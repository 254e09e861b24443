/**
 * A monitor server in the same process, for tests of this package and of those who use it.
 *
 * It keeps a log and speaks the protocol, but nothing travels by itself: frames and commands lie on the line until
 * `pump` (all of them) or a connection's `step` (one) moves them. So a test decides what crosses what on its way.
 * To extend: a new command in `FakeConnection.#obey`, a new fault as a method of `FakeServer`.
 */

import type { WebSocketLike } from '../environment'
import { categoryOf, filtersOf, includes, maskOf, NOTHING, type Mask } from '../filters'
import type { JsonObject } from '../messages'

/** An event as it lies in the log. */
export interface LoggedEvent {
  readonly offset: number
  readonly type: string
  readonly frame: string
}

export class FakeServer {
  epoch = 'k3f9q2'
  heartbeatS: number | null = 15
  /** Whether anybody answers. */
  isUp = true
  /** 1: knows neither cursors nor heartbeats. */
  version: 1 | 2 = 2
  /** Close code for everybody who connects; null lets them in. */
  refusal: number | null = null
  /** `data` of the errors that the next subscribe commands get instead of an answer. */
  readonly refusals: JsonObject[] = []
  log: LoggedEvent[] = []
  /** Smallest offset still kept. */
  oldest = 1
  readonly connections: FakeConnection[] = []

  get head(): number {
    return this.log.length
  }

  /** The connection made last. */
  get connection(): FakeConnection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('nobody has connected')
    return last
  }

  readonly createSocket = (url: string, protocols: string[]): WebSocketLike => {
    if (!/^wss?:/.test(url)) throw new SyntaxError(`invalid url ${url}`)
    const connection = new FakeConnection(this, protocols)
    this.connections.push(connection)
    return connection.socket
  }

  /** Commit a change: log the event and put it on every line that wants it. */
  append(type: string, data: JsonObject = {}, more: JsonObject = {}): LoggedEvent {
    const offset = this.head + 1
    const frame = JSON.stringify({
      type,
      data,
      timestamp: '2026-11-24T10:00:00.000Z',
      ...(this.version === 2 && {
        id: `${this.epoch}:${offset}`,
        offset,
        channels: [],
        key: null,
        version: null,
        actor: 'local',
        ...more,
      }),
    })
    const event = { offset, type, frame }
    this.log.push(event)
    for (const connection of this.connections) connection.offer(event)
    return event
  }

  /** A snapshot: live, not in the log. */
  snapshot(data: JsonObject): void {
    for (const connection of this.connections) connection.offerSnapshot(data)
  }

  heartbeat(lag = 0): void {
    for (const connection of this.connections)
      connection.system('heartbeat', { offset: this.head, lag, time: '' })
  }

  /** Events before this offset are gone. */
  forgetBefore(offset: number): void {
    this.oldest = offset
  }

  /** The log is made anew, as after a restore. */
  startNewEpoch(epoch: string): void {
    this.epoch = epoch
    this.log = []
    this.oldest = 1
  }

  /** Let everything that is on the lines arrive, and what that causes. */
  pump(): void {
    while (this.connections.some((connection) => connection.step())) {
      // Every step is one frame or command.
    }
  }
}

export class FakeConnection {
  readonly protocols: readonly string[]
  /** Commands in the order they arrived. */
  readonly commands: JsonObject[] = []
  readonly socket: WebSocketLike
  /** How the client closed it; null while it has not. */
  closedByClient: { readonly code: number | undefined; readonly reason: string | undefined } | null = null
  readonly #server: FakeServer
  readonly #toServer: string[] = []
  readonly #toClient: string[] = []
  #mask: Mask = NOTHING
  #end: { readonly code: number; readonly reason: string } | null = null
  #isOpen = false
  #isOver = false

  constructor(server: FakeServer, protocols: string[]) {
    this.#server = server
    this.protocols = protocols
    this.socket = {
      onmessage: null,
      onclose: null,
      send: (text) => void this.#toServer.push(text),
      close: (code, reason) => {
        this.closedByClient = { code, reason }
        this.#isOver = true
      },
    }
  }

  /** Let one thing arrive: a command, else a frame, else the end. False when nothing is under way. */
  step(): boolean {
    if (this.#isOver) return false
    if (!this.#isOpen) return this.#accept()
    return this.stepCommand() || this.stepFrame() || this.#finish()
  }

  /** Let one command arrive at the server. */
  stepCommand(): boolean {
    const text = this.#isOver || this.#end !== null ? undefined : this.#toServer.shift()
    if (text === undefined) return false
    const command = JSON.parse(text) as JsonObject // what `encode` made
    this.commands.push(command)
    this.#obey(command)
    return true
  }

  /** Let one frame arrive at the client. */
  stepFrame(): boolean {
    const frame = this.#isOver ? undefined : this.#toClient.shift()
    if (frame === undefined) return false
    this.socket.onmessage?.({ data: frame })
    return true
  }

  /** Put a frame on the line, whatever it is. */
  raw(frame: string): void {
    if (this.#isOpen && this.#end === null) this.#toClient.push(frame)
  }

  system(name: string, data: JsonObject): void {
    this.raw(JSON.stringify({ type: `system:${name}`, data, timestamp: '' }))
  }

  /** The server closes after what is on the line; everything sent before still arrives. */
  close(code: number, reason = ''): void {
    this.#end = { code, reason }
  }

  /** The line breaks: what was on it is lost. */
  cut(): void {
    this.#toClient.length = 0
    this.#toServer.length = 0
    this.close(1006)
  }

  offer(event: LoggedEvent): void {
    const category = categoryOf(event.type)
    if (category !== null && includes(this.#mask, category)) this.raw(event.frame)
  }

  offerSnapshot(data: JsonObject): void {
    if (!includes(this.#mask, 'metrics')) return
    this.raw(JSON.stringify({ type: 'metrics:snapshot', data, timestamp: '2026-11-24T10:00:00.000Z' }))
  }

  #accept(): boolean {
    this.#isOpen = true
    if (!this.#server.isUp) {
      this.close(1006)
    } else if (this.#server.refusal !== null) {
      this.close(this.#server.refusal, 'refused')
    } else {
      const { epoch, head, oldest, heartbeatS, version } = this.#server
      const cursors = { epoch, offset: head, oldest, heartbeat_s: heartbeatS }
      this.system('connected', { message: 'Real-time monitoring active', ...(version === 2 && cursors) })
    }
    return true
  }

  #finish(): boolean {
    if (this.#end === null) return false
    this.#isOver = true
    this.#mask = NOTHING
    this.socket.onclose?.(this.#end)
    return true
  }

  #obey(command: JsonObject): void {
    const { action } = command
    if (action === 'ping') this.system('pong', {})
    if (action === 'unsubscribe') this.#subscribe([], command)
    if (action === 'subscribe') this.#subscribe(command.filters as string[], command) // what `encode` made
  }

  #subscribe(filters: string[], { id = null, since = null }: JsonObject): void {
    const { epoch, head, oldest, log, version, refusals } = this.#server
    const refusal = refusals.shift()
    if (refusal !== undefined) {
      this.system('error', { ...refusal, id })
      return
    }
    this.#mask = maskOf(filters)
    const answer = { filters: filtersOf(this.#mask), channels: null, id }
    if (version === 1) {
      this.system('subscribed', { filters: answer.filters })
      return
    }
    const start = typeof since === 'string' ? since.split(':') : null
    const from = Number(start?.[1])
    const reason =
      start === null
        ? null
        : start[0] !== epoch
          ? 'epoch_changed'
          : from > head
            ? 'future_cursor'
            : from < oldest - 1
              ? 'expired'
              : null
    const recovered = start === null ? null : reason === null
    this.system('subscribed', { ...answer, epoch, offset: head, recovered, reason, replay: null })
    if (recovered !== true) return
    for (const event of log.slice(from)) this.offer(event)
    this.system('caught_up', { offset: head })
  }
}
