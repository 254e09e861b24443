/**
 * A monitor server in the same process, for tests of this package and of those who use it.
 *
 * It keeps a log and speaks the protocol, but nothing travels by itself: frames and commands lie on the line until
 * `pump` (all of them) or a connection's `step` (one) moves them. So a test decides what crosses what on its way.
 * To extend: a new command in `FakeConnection.#obey`, a new fault as a method of `FakeServer`.
 */

import type { WebSocketLike } from '../environment'
import { CATEGORIES, categoryOf, filtersOf, includes } from '../filters'
import type { JsonObject, JsonValue } from '../messages'
import { isHeardOn, NOTHING_WANTED, wantsOf, type Wants } from '../wants'

/** An event as it lies in the log. */
export interface LoggedEvent {
  readonly offset: number
  readonly type: string
  readonly channels: readonly string[]
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
  /** The entities by key, e.g. `job/j1`, of the events that were appended with a key and a version. */
  readonly entities = new Map<string, JsonObject>()
  /** `data` of the `auth` commands that arrived. */
  readonly tokens: string[] = []
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

  /** Connections that neither side has ended. */
  get open(): FakeConnection[] {
    return this.connections.filter(({ isOver }) => !isOver)
  }

  connect(url: string, protocols: string[]): FakeConnection {
    if (!/^wss?:/.test(url)) throw new SyntaxError(`invalid url ${url}`)
    const connection = new FakeConnection(this, protocols)
    this.connections.push(connection)
    return connection
  }

  /** Commit a change: log the event and put it on every line that wants it. */
  append(type: string, data: JsonObject = {}, more: JsonObject = {}): LoggedEvent {
    const offset = this.head + 1
    const { key, version, channels } = more
    if (typeof key === 'string' && typeof version === 'number') {
      if (type.endsWith(':deleted')) this.entities.delete(key)
      else this.entities.set(key, data)
    }
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
    const heardOn = Array.isArray(channels) ? channels.filter((name) => typeof name === 'string') : []
    const event = { offset, type, channels: heardOn, frame }
    this.log.push(event)
    for (const connection of this.connections) connection.offer(event)
    return event
  }

  /** A snapshot: live, not in the log. */
  snapshot(data: JsonObject): void {
    for (const connection of this.connections) connection.offerSnapshot(data)
  }

  heartbeat(lag = 0): void {
    for (const connection of this.connections) connection.heartbeat(lag)
  }

  /** One entity a page, as small as pages can be. */
  snapshotPages({ mask }: Wants, id: JsonValue): JsonObject[] {
    const at = { offset: this.head, cursor: `${this.epoch}:${this.head}`, time: null }
    const pages = [...this.entities]
      .filter(([key]) => CATEGORIES.some((name) => includes(mask, name) && key.startsWith(`${name}/`)))
      .map(([key, entity]) => ({
        patterns: key.startsWith('pattern/') ? [entity] : [],
        joblogs: key.startsWith('job/') ? [entity] : [],
        strip_families: key.startsWith('material/') ? [entity] : [],
      }))
    const last = { patterns: [], joblogs: [], strip_families: [] }
    return [...pages, last].map((page, index) => ({ id, at, is_last: index === pages.length, ...page }))
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
  /** What a start asked for and is not on the line yet; a new subscription drops it. */
  #backlog: LoggedEvent[] = []
  #isCatchingUp = false
  /** The last event that was put on the line for the present subscription. */
  #newest: LoggedEvent | null = null
  #wants: Wants = NOTHING_WANTED
  /** The replay that runs: events that `play` puts on the line. */
  #replay: {
    readonly id: JsonValue
    rest: LoggedEvent[]
    at: number
    readonly to: number
    state: string
    speed: JsonValue
  } | null = null
  /** Pages of a snapshot that are not on the line yet; the events after it wait for the last. */
  #pages: JsonObject[] = []
  #end: { readonly code: number; readonly reason: string } | null = null
  #isOpen = false
  isOver = false

  constructor(server: FakeServer, protocols: string[]) {
    this.#server = server
    this.protocols = protocols
    this.socket = {
      onmessage: null,
      onclose: null,
      send: (text) => void this.#toServer.push(text),
      close: (code, reason) => {
        this.closedByClient = { code, reason }
        this.isOver = true
      },
    }
  }

  /** Let one thing arrive: a command, else a frame, else the end. False when nothing is under way. */
  step(): boolean {
    if (this.isOver) return false
    if (!this.#isOpen) return this.#accept()
    return this.stepCommand() || this.stepFrame() || this.#finish()
  }

  /** Let one command arrive at the server. */
  stepCommand(): boolean {
    const text = this.isOver || this.#end !== null ? undefined : this.#toServer.shift()
    if (text === undefined) return false
    const command = JSON.parse(text) as JsonObject // what `encode` made
    this.commands.push(command)
    this.#obey(command)
    return true
  }

  /** Let one frame arrive at the client. */
  stepFrame(): boolean {
    if (this.#toClient.length === 0) this.#fill()
    const frame = this.isOver ? undefined : this.#toClient.shift()
    if (frame === undefined) return false
    this.socket.onmessage?.({ data: frame })
    return true
  }

  /** Put a frame on the line, whatever it is. */
  raw(frame: string): void {
    if (this.#isOpen && this.#end === null) this.#toClient.push(frame)
  }

  /** Put the newest event of the present subscription on the line once more. */
  repeat(): void {
    if (this.#newest !== null) this.raw(this.#newest.frame)
  }

  system(name: string, data: JsonObject): void {
    this.raw(JSON.stringify({ type: `system:${name}`, data, timestamp: '' }))
  }

  heartbeat(lag: number): void {
    if (this.#pages.length > 0) return
    const offset = (this.#backlog[0]?.offset ?? this.#server.head + 1) - 1
    this.system('heartbeat', { offset, lag: this.#server.head - offset + lag, time: '' })
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

  /** The client is gone without a word. */
  vanish(): void {
    this.isOver = true
    this.#wants = NOTHING_WANTED
  }

  offer(event: LoggedEvent): void {
    const category = categoryOf(event.type)
    const { mask, channels, types } = this.#wants
    if (category === null || !includes(mask, category)) return
    if (!isHeardOn(channels, event.channels) || types?.includes(event.type) === false) return
    if (this.#isCatchingUp) this.#backlog.push(event)
    else this.#sendEvent(event)
  }

  /** Put so many events of the replay on the line, and its end where it is reached. */
  play(count = Infinity): void {
    const replay = this.#replay
    if (replay === null || replay.state !== 'playing') return
    for (const { offset, frame } of replay.rest.splice(0, count)) {
      replay.at = offset
      this.raw(JSON.stringify({ ...(JSON.parse(frame) as JsonObject), replay: true }))
    }
    if (replay.rest.length > 0) return
    this.#tellReplay(replay.id, 'finished')
    this.#replay = null
  }

  #tellReplay(id: JsonValue, state: string): void {
    const { at = 0, to = 0, speed = 1 } = this.#replay ?? {}
    this.system('replay', { id, state, offset: at, to, time: null, speed, wait_s: 0 })
  }

  #beginReplay({ id = null, from, to: until, pause, speed = 1, filters }: JsonObject): void {
    const { log, head } = this.#server
    const after = offsetOf(from)
    if (after > head) {
      this.#refuse(id, 'future_cursor')
      return
    }
    if (this.#replay !== null) this.#tellReplay(this.#replay.id, 'stopped')
    const { mask } = wantsOf({ action: 'subscribe', ...(filters !== undefined && { filters }) })
    const to = until === undefined ? head : offsetOf(until)
    const rest = log.slice(after, to).filter(({ type }) => {
      const category = categoryOf(type)
      return category !== null && includes(mask, category)
    })
    this.#replay = { id, rest, at: after, to, state: pause === true ? 'paused' : 'playing', speed }
    this.#tellReplay(id, this.#replay.state)
  }

  #steerReplay({ id = null, pause, speed, seek, stop }: JsonObject): void {
    const replay = this.#replay
    if (replay === null) {
      this.#refuse(id, 'invalid_command')
      return
    }
    if (stop === true) {
      this.#tellReplay(replay.id, 'stopped')
      this.#replay = null
      return
    }
    if (typeof pause === 'boolean') replay.state = pause ? 'paused' : 'playing'
    if (speed !== undefined) replay.speed = speed
    if (seek !== undefined) {
      replay.at = offsetOf(seek)
      replay.rest = this.#server.log.slice(replay.at, replay.to)
    }
    this.#tellReplay(id, replay.state)
  }

  #refuse(id: JsonValue, code: string): void {
    this.system('error', { id, code, message: code, temporary: false, retry_after: null })
  }

  #sendEvent(event: LoggedEvent): void {
    this.#newest = event
    this.raw(event.frame)
  }

  offerSnapshot(data: JsonObject): void {
    if (!includes(this.#wants.mask, 'metrics')) return
    this.raw(JSON.stringify({ type: 'metrics:snapshot', data, timestamp: '2026-11-24T10:00:00.000Z' }))
  }

  /** Put the next event of the backlog on the line. */
  #fill(): void {
    if (!this.#isCatchingUp || this.#end !== null) return
    const page = this.#pages.shift()
    if (page !== undefined) {
      this.system('snapshot', page)
      return
    }
    const event = this.#backlog.shift()
    if (event !== undefined) this.#sendEvent(event)
    else this.system('caught_up', { offset: this.#server.head })
    this.#isCatchingUp = event !== undefined
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
    this.isOver = true
    this.#wants = NOTHING_WANTED
    this.#isCatchingUp = false
    this.socket.onclose?.(this.#end)
    return true
  }

  #obey(command: JsonObject): void {
    const { action } = command
    if (action === 'ping') this.system('pong', {})
    if (action === 'auth' && typeof command.token === 'string') this.#server.tokens.push(command.token)
    if (action === 'replay' && command.from !== undefined) this.#beginReplay(command)
    else if (action === 'replay') this.#steerReplay(command)
    if (action === 'state') {
      // As this server keeps no history, the state of any place is that of now.
      const wants = wantsOf({ ...command, action: 'subscribe' })
      for (const page of this.#server.snapshotPages(wants, command.id ?? null)) this.system('snapshot', page)
    }
    if (action === 'subscribe' || action === 'unsubscribe') this.#subscribe(command)
  }

  #reasonOf(start: string[] | null, from: number, fromTime: number | null): string | null {
    const { epoch, head, oldest } = this.#server
    if (fromTime !== null) return fromTime < oldest ? 'too_far' : null
    if (start === null) return null
    if (start[0] !== epoch) return 'epoch_changed'
    if (from > head) return 'future_cursor'
    return from < oldest - 1 ? 'expired' : null
  }

  #subscribe(command: JsonObject): void {
    const { id = null, since = null, from_time, snapshot, strict } = command
    const { epoch, head, oldest, log, version, refusals } = this.#server
    const refusal = refusals.shift()
    if (refusal !== undefined) {
      this.system('error', { ...refusal, id })
      return
    }
    const start = typeof since === 'string' ? since.split(':') : null
    const fromTime = typeof from_time === 'string' ? Number(from_time) : null
    const from = fromTime === null ? Number(start?.[1]) : Math.max(fromTime, oldest) - 1
    const reason = this.#reasonOf(start, from, fromTime)
    if (strict === true && reason !== null) {
      this.#refuse(id, reason)
      return
    }
    this.#wants = wantsOf(command)
    this.#backlog = []
    this.#pages = []
    this.#isCatchingUp = false
    this.#newest = null
    const answer = { filters: filtersOf(this.#wants.mask), channels: null, id }
    if (version === 1) {
      this.system('subscribed', { filters: answer.filters })
      return
    }
    if (snapshot === true) {
      this.system('subscribed', {
        ...answer,
        epoch,
        offset: head,
        recovered: null,
        reason: null,
        replay: null,
      })
      this.#pages = this.#server.snapshotPages(this.#wants, id)
      this.#isCatchingUp = true
      return
    }
    const hasStart = start !== null || fromTime !== null
    const recovered = hasStart ? reason === null || reason === 'too_far' : null
    const replay =
      recovered === true && from < head ? { from: from + 1, to: head, truncated: reason !== null } : null
    this.system('subscribed', { ...answer, epoch, offset: head, recovered, reason, replay })
    if (recovered === false && reason !== 'future_cursor') {
      this.system('gap', { from: reason === 'expired' ? from + 1 : 1, to: head, reason })
    }
    if (recovered !== true) return
    this.#isCatchingUp = true
    for (const event of log.slice(from)) this.offer(event)
  }
}

/** The offset of a cursor. */
function offsetOf(place: JsonValue | undefined): number {
  return typeof place === 'string' ? Number(place.split(':')[1]) : 0
}
