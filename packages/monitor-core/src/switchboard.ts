/**
 * One connection to the server for many links: the part of `sharing` in the tab that leads.
 *
 * To each link the switchboard is a server: it answers its commands as if the link were alone. To the server it is one
 * client, whose subscription is the union of what the links want.
 *
 * Rule 1: one subscription at a time is on its way; the next waits for the answer.
 * Rule 2: a subscription starts no later than the least position of all links. Where it had to start later (a link asked
 *         for a start of its own, or for what is no longer kept), events are held back until another subscription,
 *         which begins at the least position, has taken its place.
 * Rule 3: events go to all links. A link drops what it has seen, as every client does (PROTOCOL.md CLI-05), and what it
 *         did not ask for.
 */

import { SILENT } from './closeCodes'
import { decode } from './codec'
import { formatCursor, parseCursor, type Cursor } from './cursor'
import type { Environment, WebSocketLike } from './environment'
import type { JsonObject, Subscribed } from './messages'
import { PastRelay, withId } from './pastRelay'
import { isNothing, isSame, keysOf, NOTHING_WANTED, unionOf, wantsOf, type Wants } from './wants'

/** How the switchboard reaches its links; `null` addresses all of them. */
export interface Links {
  frame(link: string | null, frame: string): void
  /** The connection is over, with the code that the socket or the server gave. */
  closed(code: number, reason: string): void
  /** There is a connection: who waits before another attempt need not. */
  opened(): void
}

interface Link {
  wants: Wants
  /** It was sent all it wants up to here; null while it has no subscription, or the server knows no places. */
  position: Cursor | null
}

/** A subscription to be asked for: by a link, or (null) because links went or were left behind (rule 2). */
interface Change {
  readonly link: string | null
  readonly command: JsonObject
}

interface Pending extends Change {
  readonly id: string
  readonly asked: Wants
  /** What the link wanted before; it keeps that when the server refuses. */
  readonly before: Wants
  readonly since: Cursor | null
}

const UPKEEP: Change = { link: null, command: { action: 'subscribe' } }

export class Switchboard {
  readonly #url: string
  readonly #environment: Environment
  readonly #tell: Links
  readonly #links = new Map<string, Link>()
  #socket: WebSocketLike | null = null
  /** `system:connected` of the present connection. */
  #welcome: JsonObject | null = null
  #heartbeatMs = Infinity
  #heardAt = 0
  /** The furthest place in the log that was heard of. */
  #head = 0
  readonly #changes: Change[] = []
  #pending: Pending | null = null
  /** What the server sends. */
  #active: Wants = NOTHING_WANTED
  #isHoldingBack = false
  /** Who was just told that its start could not be kept; `system:gap`, when it follows at once, is its own. */
  #loser: string | null = null
  readonly #pings: string[] = []
  readonly #past: PastRelay
  /** Who is being sent a snapshot, and the id of its command; another subscription would end it. */
  #filling: Pending | null = null
  #ids = 0

  constructor(url: string, environment: Environment, tell: Links) {
    this.#url = url
    this.#environment = environment
    this.#tell = tell
    this.#past = new PastRelay({
      send: (command) => this.#send(command),
      frame: (link, frame) => this.#tell.frame(link, frame),
    })
  }

  /**
   * A link wants to be connected; `protocols` count when it is the first.
   *
   * @throws what `Environment.createSocket` throws
   */
  dial(link: string, protocols: string[]): void {
    if (this.#socket === null) this.#open(protocols)
    this.#links.set(link, { wants: NOTHING_WANTED, position: null })
    if (this.#welcome !== null) this.#greet(link, this.#welcome)
  }

  /** A link sends a command. */
  say(link: string, text: string): void {
    if (!this.#links.has(link)) return
    const command = JSON.parse(text) as JsonObject // what `encode` made
    if (command.action === 'subscribe' || command.action === 'unsubscribe') {
      this.#changes.push({ link, command })
      this.#next()
    } else if (!this.#past.say(link, command)) {
      if (command.action === 'ping') this.#pings.push(link)
      this.#socket?.send(text)
    }
  }

  /** A link lets go. Who is the last one ends the connection. */
  hangUp(link: string, code?: number): void {
    const isStuck = code === SILENT && this.#isStuck(link)
    if (!this.#links.delete(link)) return
    this.#past.hangUp(link)
    if (isStuck) this.#end(SILENT, 'nothing was heard')
    else if (this.#links.size === 0) this.#forgetSocket()?.close(1000, 'closed by the client')
    else this.#upkeep()
  }

  /** A page with links is gone. */
  hangUpAll(isOfPage: (link: string) => boolean): void {
    for (const link of [...this.#links.keys()].filter(isOfPage)) this.hangUp(link)
  }

  /** Whether a link that says it hears nothing is right; a page that slept for a while is not. */
  #isStuck(link: string): boolean {
    const silenceMs = this.#environment.now() - this.#heardAt
    return this.#welcome === null || this.#pending?.link === link || silenceMs > this.#heartbeatMs
  }

  #open(protocols: string[]): void {
    const socket = this.#environment.createSocket(this.#url, protocols)
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#received(data)
    socket.onclose = ({ code, reason }) => this.#ended(code, reason)
  }

  #end(code: number, reason: string): void {
    const socket = this.#socket
    this.#ended(code, reason)
    socket?.close(code, reason)
  }

  #ended(code: number, reason: string): void {
    this.#forgetSocket()
    this.#links.clear()
    this.#tell.closed(code, reason)
  }

  #forgetSocket(): WebSocketLike | null {
    const socket = this.#socket
    if (socket !== null) socket.onmessage = socket.onclose = null
    this.#socket = this.#welcome = this.#pending = null
    this.#heartbeatMs = Infinity
    this.#head = 0
    this.#changes.length = this.#pings.length = 0
    this.#active = NOTHING_WANTED
    this.#isHoldingBack = false
    this.#filling = null
    this.#past.closed()
    return socket
  }

  /** Pass `system:connected` on, with the head of the log as it is known by now. */
  #greet(link: string, welcome: JsonObject): void {
    const data = welcome.data as JsonObject // `decode` made sure
    const offset = typeof data.offset === 'number' ? { offset: Math.max(data.offset, this.#head) } : {}
    this.#tell.frame(link, JSON.stringify({ ...welcome, data: { ...data, ...offset } }))
  }

  #received(frame: unknown): void {
    this.#heardAt = this.#environment.now()
    const message = decode(frame)
    // What cannot be read goes to all: each of them tells of it.
    const text = String(frame)
    const loser = this.#loser
    this.#loser = null
    switch (message.kind) {
      case 'connected':
        this.#welcome = JSON.parse(text) as JsonObject
        this.#head = message.offset ?? 0
        if (message.heartbeatS !== null) this.#heartbeatMs = message.heartbeatS * 1000
        for (const link of this.#links.keys()) this.#greet(link, this.#welcome)
        this.#tell.opened()
        break
      case 'event':
        if (message.isReplay) this.#past.replayed(text)
        else if (message.event.offset === null) this.#tell.frame(null, text)
        else this.#reached(message.event.offset, text)
        break
      case 'heartbeat':
      case 'caught_up':
        this.#reached(message.offset, text)
        break
      case 'replay':
        this.#past.told(message, text)
        break
      case 'subscribed':
        this.#answered(message, JSON.parse(text) as JsonObject)
        break
      case 'pong': {
        const link = this.#pings.shift()
        if (link !== undefined) this.#tell.frame(link, text)
        break
      }
      case 'error':
        if (!this.#past.refused(message.id, text)) this.#refused(message.id, text)
        break
      case 'snapshot':
        if (this.#past.filled(message.id, message.isLast, text)) break
        if (typeof this.#filling?.link === 'string')
          this.#tell.frame(this.#filling.link, withId(text, this.#filling.command.id))
        if (message.isLast) {
          this.#filling = null
          this.#next()
        }
        break
      case 'gap':
        this.#tell.frame(loser, text)
        break
      case 'conflated':
        if (!this.#isHoldingBack) this.#tell.frame(null, text)
        break
      case 'closing':
      case 'token_expiring':
      case 'ignored':
      case 'malformed':
        this.#tell.frame(null, text)
    }
  }

  /** The frame says that all that is wanted has been sent up to this place in the log. */
  #reached(offset: number, frame: string): void {
    this.#head = Math.max(this.#head, offset)
    if (this.#isHoldingBack) return
    for (const link of this.#links.values()) {
      if (link.position !== null && link.position.offset < offset)
        link.position = { ...link.position, offset }
    }
    this.#tell.frame(null, frame)
  }

  get #union(): Wants {
    return unionOf([...this.#links.values()].map(({ wants }) => wants))
  }

  /** Place of the link that is furthest behind. */
  get #least(): Cursor | null {
    let least: Cursor | null = null
    for (const { position } of this.#links.values()) {
      if (position !== null && (least === null || position.offset < least.offset)) least = position
    }
    return least
  }

  #upkeep(): void {
    this.#changes.push(UPKEEP)
    this.#next()
  }

  #next(): void {
    if (this.#welcome === null || this.#pending !== null || this.#filling !== null) return
    const change = this.#changes.shift()
    if (change === undefined) return
    const link = change.link === null ? null : (this.#links.get(change.link) ?? null)
    const isNeeded = link !== null || this.#isHoldingBack || !isSame(this.#union, this.#active)
    if (!isNeeded || (change.link !== null && link === null)) {
      this.#next()
      return
    }
    const before = link?.wants ?? NOTHING_WANTED
    if (link !== null) link.wants = wantsOf(change.command)
    const asked = this.#union
    const start = this.#startFor(change.command)
    const since = sinceOf(start)
    const id = this.#newId()
    this.#pending = { ...change, id, asked, before, since }
    if (isNothing(asked)) this.#send({ action: 'unsubscribe', id })
    else this.#send({ action: 'subscribe', ...keysOf(asked), ...start, ...strictOf(change.command), id })
  }

  /** Where the union begins: where the link asks, yet no later than where the others are, if that can be said. */
  #startFor(command: JsonObject): JsonObject {
    const asked = startOf(command)
    const least = this.#least
    if (least === null) return asked
    if (Object.keys(asked).length === 0) return { since: formatCursor(least) }
    const since = sinceOf(asked)
    // A place beyond the head is no place: the server shall say so.
    const isPlace = since !== null && since.epoch === least.epoch && since.offset <= this.#head
    return isPlace && since.offset > least.offset ? { since: formatCursor(least) } : asked
  }

  #answered(answer: Subscribed, frame: JsonObject): void {
    const pending = this.#pending
    if (pending === null || (answer.id !== null && answer.id !== pending.id)) return
    this.#pending = null
    this.#active = pending.asked
    this.#filling = pending.command.snapshot === true ? pending : null
    this.#isHoldingBack = false
    this.#head = Math.max(this.#head, answer.offset ?? 0)
    if (pending.link === null && answer.recovered === false) {
      // The place of those who were left behind is gone as well. They come back, and each hears what it lost.
      this.#end(SILENT, 'the subscription could not be resumed')
      return
    }
    const link = pending.link === null ? undefined : this.#links.get(pending.link)
    if (link !== undefined) link.position = null
    const least = this.#least
    const begins = beginOf(answer, pending.since)
    if (link !== undefined && pending.link !== null) {
      link.position = isNothing(link.wants) ? null : positionAfter(pending.command, answer)
      this.#loser = answer.recovered === false ? pending.link : null
      this.#tell.frame(pending.link, answerFor(pending.command, link.wants, frame))
    }
    if (least !== null && begins !== null && begins.offset > least.offset) {
      this.#isHoldingBack = true
      this.#changes.unshift(UPKEEP)
    }
    this.#next()
  }

  #refused(id: string | null, frame: string): void {
    const pending = this.#pending
    if (pending === null || id !== pending.id) {
      this.#tell.frame(null, frame)
    } else if (pending.link === null) {
      // Nobody asked, so nobody would ask again.
      this.#end(SILENT, 'the subscription could not be resumed')
    } else {
      this.#pending = null
      const link = this.#links.get(pending.link)
      if (link !== undefined) link.wants = pending.before
      this.#tell.frame(pending.link, withId(frame, pending.command.id))
      this.#next()
    }
  }

  #send(command: object): void {
    this.#socket?.send(JSON.stringify(command))
  }

  #newId(): string {
    return `t${++this.#ids}`
  }
}

/** The one key that says where a subscription starts; none for live. */
function startOf({ since, last, from_time, snapshot }: JsonObject): JsonObject {
  if (snapshot === true) return { snapshot }
  if (since !== undefined) return { since }
  if (last !== undefined) return { last }
  return from_time === undefined ? {} : { from_time }
}

function strictOf({ strict }: JsonObject): JsonObject {
  return strict === undefined ? {} : { strict }
}

function sinceOf({ since }: JsonObject): Cursor | null {
  return typeof since === 'string' ? parseCursor(since) : null
}

/** The place after which a subscription that asked for this start sends everything; null: the server knows no places. */
function beginOf({ epoch, offset, recovered, replay }: Subscribed, since: Cursor | null): Cursor | null {
  if (epoch === null || offset === null) return null
  if (recovered !== true) return { epoch, offset }
  if (since !== null) return since
  return { epoch, offset: replay === null ? offset : replay.from - 1 }
}

/** Where the link of this command stands after the answer to what was asked in its stead. */
function positionAfter(command: JsonObject, answer: Subscribed): Cursor | null {
  const isLive = Object.keys(startOf(command)).length === 0
  return beginOf(isLive ? { ...answer, recovered: null } : answer, sinceOf(command))
}

/** The answer as the server would have given it to this link alone. */
function answerFor(command: JsonObject, wants: Wants, frame: JsonObject): string {
  const isLive = Object.keys(startOf(command)).length === 0
  const { channels = null, types = null } = command
  const data = {
    ...(frame.data as JsonObject), // `decode` made sure
    filters: keysOf(wants).filters,
    channels,
    types,
    id: command.id ?? null,
    ...(isLive && { recovered: null, reason: null, replay: null }),
  }
  return JSON.stringify({ ...frame, data })
}
