/**
 * What travels on the monitor connection, as types.
 *
 * Names of members are those of the wire in camel case; a member that was absent is null. `protocol/PROTOCOL.md` is
 * normative.
 */

import type { Cursor } from './cursor'

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject
export interface JsonObject {
  [key: string]: JsonValue
}

/** The first part of an event's type; it decides which filter lets the event through. */
export type Category = 'job' | 'pattern' | 'material' | 'metrics'
/** What a subscription may ask for. */
export type Filter = Category | 'all'

/** A change in the shop (or a metrics snapshot), as handlers see it. */
export interface MonitorEvent {
  /** `<category>:<name>`, e.g. `job:completed`; custom names occur. */
  readonly type: string
  readonly category: Category
  /** The whole entity after the change, the metrics, or what a custom event carries. */
  readonly data: JsonObject
  /** RFC 3339, UTC. */
  readonly timestamp: string
  /** Cursor `<epoch>:<offset>`; null for what is not in the log (`metrics:snapshot`). */
  readonly id: string | null
  /** Place in the log: 1, 2, 3, … Null for what is not in the log. */
  readonly offset: number | null
  /** Where it is heard besides its category, e.g. `machine:cnc1`. */
  readonly channels: readonly string[]
  /** The entity it tells of, e.g. `job/0198c2f0-…`. */
  readonly key: string | null
  /** The entity's version after the change. */
  readonly version: number | null
  /** Who caused it. */
  readonly actor: string | null
}

/** First frame of a connection. A version 1 server sends none of the members. */
export interface Connected {
  readonly kind: 'connected'
  readonly epoch: string | null
  /** Newest place in the log. */
  readonly offset: number | null
  /** Oldest place that is still kept. */
  readonly oldest: number | null
  readonly heartbeatS: number | null
}

/** The subscription is active; events that follow this frame belong to it. */
export interface Subscribed {
  readonly kind: 'subscribed'
  readonly filters: readonly Filter[]
  readonly channels: readonly string[] | null
  readonly id: string | null
  readonly epoch: string | null
  readonly offset: number | null
  /** Exact types it is narrowed to; null: not narrowed. */
  readonly types: readonly string[] | null
  /** `latest` or `stream`; null where the server knows no modes. */
  readonly mode: string | null
  /** True: all after the asked start follows. False: it cannot, see `reason`. Null: no start was asked for. */
  readonly recovered: boolean | null
  readonly reason: string | null
  /** The range of offsets that is read again; null when there is nothing to read. */
  readonly replay: { readonly from: number; readonly to: number } | null
}

export interface Pong {
  readonly kind: 'pong'
  readonly id: string | null
}

/** The line is alive, and everything up to `offset` that was asked for has been sent when `lag` is 0. */
export interface Heartbeat {
  readonly kind: 'heartbeat'
  readonly offset: number
  /** Events this connection is behind. */
  readonly lag: number
}

/** The events asked for with a start have all been sent; what follows is live. */
export interface CaughtUp {
  readonly kind: 'caught_up'
  readonly offset: number
}

/** The entities as they were at one place of the log. */
export interface Snapshot {
  readonly at: Cursor
  /** When the newest event there happened (RFC 3339); null where that is not known. */
  readonly time: string | null
  readonly patterns: readonly JsonObject[]
  readonly joblogs: readonly JsonObject[]
  readonly stripFamilies: readonly JsonObject[]
}

/** Some of a snapshot. */
export interface SnapshotPage extends Snapshot {
  readonly kind: 'snapshot'
  readonly id: string | null
  readonly isLast: boolean
}

/** The server itself knows of a loss. */
export interface ServerGap {
  readonly kind: 'gap'
  readonly from: number | null
  readonly to: number | null
  readonly reason: string
}

/** In mode `latest`: so many updates between these offsets were left out for later ones. */
export interface Conflated {
  readonly kind: 'conflated'
  readonly from: number
  readonly to: number
  readonly count: number
}

/** The credential ends soon: time for a new one, on this connection. */
export interface TokenExpiring {
  readonly kind: 'token_expiring'
  /** RFC 3339. */
  readonly expiresAt: string | null
}

export interface ServerError {
  readonly kind: 'error'
  readonly id: string | null
  readonly code: string
  readonly message: string
  readonly temporary: boolean
  /** Seconds. */
  readonly retryAfter: number | null
}

/** The server is about to close the connection. */
export interface Closing {
  readonly kind: 'closing'
  readonly code: number
  readonly reason: string
  readonly reconnect: boolean | null
  /** Seconds. */
  readonly retryAfter: number | null
}

export interface EventMessage {
  readonly kind: 'event'
  readonly event: MonitorEvent
  /** Whether it belongs to a replay: it happened before, and the live stream knows nothing of it. */
  readonly isReplay: boolean
}

/** Times real time; `max`: as fast as it can be taken. */
export type ReplaySpeed = number | 'max'

/** Where a replay stands. */
export interface ReplayMessage {
  readonly kind: 'replay'
  readonly id: string | null
  readonly state: 'playing' | 'paused' | 'finished' | 'stopped'
  /** Everything wanted up to here was replayed. */
  readonly offset: number
  /** Its last offset; null from a server that does not tell. */
  readonly to: number | null
  /** The time in the log that is reached (RFC 3339). */
  readonly time: string | null
  readonly speed: ReplaySpeed
  /** Seconds until the next event, where that is long; otherwise 0. */
  readonly waitS: number
}

/** A frame of a later version: nothing is shown and nothing breaks. */
export interface Ignored {
  readonly kind: 'ignored'
}

/** Not a frame of this protocol. */
export interface Malformed {
  readonly kind: 'malformed'
  readonly problem: string
}

export type ServerMessage =
  | Connected
  | Subscribed
  | Pong
  | Heartbeat
  | CaughtUp
  | SnapshotPage
  | ServerGap
  | Conflated
  | TokenExpiring
  | ServerError
  | Closing
  | EventMessage
  | ReplayMessage
  | Ignored
  | Malformed

export interface SubscribeCommand {
  readonly action: 'subscribe'
  readonly filters: readonly Filter[]
  readonly id?: string
  /** Cursor after which to start; left out: live. */
  readonly since?: string
  /** RFC 3339: start with the events of that time; left out: see `since`. */
  readonly from_time?: string
  /** Start with the entities as they are. */
  readonly snapshot?: true
  /** Refuse a start that cannot be kept in full. */
  readonly strict?: true
  /** `machine:cnc1`, `machine:*`; left out: all. */
  readonly channels?: readonly string[]
  /** Exact types; left out: all. */
  readonly types?: readonly string[]
  /** `latest`: of several updates of one thing the newest is enough. */
  readonly mode?: 'latest'
}

/** With `from` it begins a replay; without, it steers the one that runs. Places are cursors or RFC 3339 times. */
export interface ReplayCommand {
  readonly action: 'replay'
  readonly id: string
  readonly from?: string
  readonly to?: string
  readonly speed?: ReplaySpeed
  readonly pause?: boolean
  readonly seek?: string
  readonly stop?: true
  readonly filters?: readonly Filter[]
  readonly channels?: readonly string[]
  readonly types?: readonly string[]
}

/** Asks for the entities as they were at a place; left out: now. */
export interface StateCommand {
  readonly action: 'state'
  readonly id: string
  readonly at?: string
  readonly filters?: readonly Filter[]
  readonly channels?: readonly string[]
}

export type Command =
  | SubscribeCommand
  | ReplayCommand
  | StateCommand
  | { readonly action: 'auth'; readonly token: string; readonly id?: string }
  | { readonly action: 'unsubscribe'; readonly id?: string }
  | { readonly action: 'ping' }
