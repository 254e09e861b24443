/** The RMOS monitor protocol for any JavaScript: one shared connection, handlers that miss nothing. */

export { initialDelay, maxDelay, maxReconnectAttempts, reconnectDelay, type BackoffOptions } from './backoff'
export { announcementOf, describeClose, verdictOf, type Verdict } from './closeCodes'
export { decode, encode } from './codec'
export {
  GAVE_UP,
  reduce,
  type ConnectionEffect,
  type ConnectionInput,
  type ConnectionState,
} from './connection'
export { formatCursor, parseCursor, type Cursor } from './cursor'
export { browserEnvironment, type Environment, type WebSocketLike } from './environment'
export { EntityMirror } from './entities'
export { MonitorError, type MonitorErrorCode } from './errors'
export { CATEGORIES, categoryOf, FILTERS, filtersOf, maskOf } from './filters'
export type { Freshness } from './freshness'
export type {
  Category,
  Command,
  Filter,
  JsonObject,
  JsonValue,
  MonitorEvent,
  ReplaySpeed,
  Snapshot,
  ServerMessage,
} from './messages'
export type { PastWish, Replay, ReplayListener, ReplayOptions, ReplayStatus } from './past'
export { MonitorSession, type SessionOptions, type SubscribeOptions } from './session'
export type { EventHandler, Gap } from './subscriptions'
