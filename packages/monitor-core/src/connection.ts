/**
 * The life of one connection as a value and a pure function: `(state, input, policy) => [state, effects]`.
 *
 * Rule 1: there is one state and never two attempts at a time.
 * Rule 2: a state that waits for something has exactly one timer, set when it is entered.
 * Rule 3: nothing happens here; the caller carries out the effects, in order.
 */

import { reconnectDelay } from './backoff'
import { describeClose, MOVED, SILENT, verdictOf } from './closeCodes'

export type ConnectionState =
  /** Nobody wants a connection, or the server ended it properly. */
  | { readonly name: 'idle' }
  /** `attempt`: how many reconnects this is in a row; 0 is the first try. */
  | { readonly name: 'connecting'; readonly attempt: number; readonly afterSilence: boolean }
  /** The server has said `system:connected`. */
  | { readonly name: 'open' }
  /** Reconnect number `attempt` follows `delayMs` after the state was entered. */
  | {
      readonly name: 'waiting'
      readonly attempt: number
      readonly delayMs: number
      readonly afterSilence: boolean
      readonly reason: string
    }
  /**
   * Given up; only `connect` leads out. `cause`: the last end, where `reason` alone does not tell it. `code`: the close
   * code after which coming back is of no use; null where it was given up for another reason.
   */
  | {
      readonly name: 'abandoned'
      readonly reason: string
      readonly cause: string | null
      readonly code: number | null
    }

export type ConnectionInput =
  /** Somebody wants a connection, now. */
  | { readonly type: 'connect' }
  /** Nobody wants one any more. */
  | { readonly type: 'disconnect' }
  /** `system:connected` arrived. */
  | { readonly type: 'welcomed' }
  /** The socket closed, or was never made. */
  | {
      readonly type: 'closed'
      readonly code: number
      readonly reason: string
      readonly retryAfterS: number | null
    }
  /** The address cannot be dialled at all, now or later. */
  | { readonly type: 'unusable'; readonly reason: string }
  /** The timer of the present state ran out. */
  | { readonly type: 'timer' }
  /** Nothing was heard for too long although the socket looks open. */
  | { readonly type: 'silent' }
  /** The network is back or the page is looked at again: a good moment to try. */
  | { readonly type: 'wake' }

export type ConnectionEffect =
  | { readonly type: 'dial' }
  | { readonly type: 'hang-up'; readonly code: number; readonly reason: string }
  | { readonly type: 'set-timer'; readonly ms: number }
  | { readonly type: 'clear-timer' }

export interface ConnectionPolicy {
  readonly maxAttempts: number
  /** See `BackoffOptions.random`. */
  readonly random: number | null
  /** Whether `wake` cuts a wait short. */
  readonly wakes: boolean
}

export type Transition = readonly [ConnectionState, readonly ConnectionEffect[]]

/** Milliseconds from dialling to `system:connected`. Without an end, a lost packet would hold the only attempt. */
export const CONNECT_TIMEOUT_MS = 10_000
/** What is said when the attempts are spent. */
export const GAVE_UP = 'Max reconnection attempts reached'

export const IDLE: ConnectionState = { name: 'idle' }
const OPEN: ConnectionState = { name: 'open' }
const CLEAR: ConnectionEffect = { type: 'clear-timer' }
const GOODBYE: ConnectionEffect = { type: 'hang-up', code: 1000, reason: 'closed by the client' }

export function reduce(state: ConnectionState, input: ConnectionInput, policy: ConnectionPolicy): Transition {
  switch (state.name) {
    case 'idle':
    case 'abandoned':
      if (input.type === 'connect') return dial(0)
      return input.type === 'disconnect' ? [IDLE, []] : [state, []]
    case 'connecting':
      return whileConnecting(state, input, policy)
    case 'open':
      return whileOpen(state, input, policy)
    case 'waiting':
      if (input.type === 'connect' || (input.type === 'wake' && policy.wakes))
        return dial(0, state.afterSilence)
      if (input.type === 'timer') return dial(state.attempt, state.afterSilence)
      return input.type === 'disconnect' ? [IDLE, [CLEAR]] : [state, []]
  }
}

function whileConnecting(
  state: ConnectionState & { name: 'connecting' },
  input: ConnectionInput,
  policy: ConnectionPolicy,
): Transition {
  switch (input.type) {
    case 'welcomed':
      return [OPEN, [CLEAR]]
    case 'disconnect':
      return [IDLE, [CLEAR, GOODBYE]]
    case 'unusable':
      return [{ name: 'abandoned', reason: input.reason, cause: null, code: null }, [CLEAR]]
    case 'closed':
      return lost(state.attempt, input, policy)
    case 'timer': {
      const end = { code: SILENT, reason: `no answer in ${CONNECT_TIMEOUT_MS / 1000} s`, retryAfterS: null }
      return lost(state.attempt, end, policy, [{ type: 'hang-up', code: end.code, reason: end.reason }])
    }
    case 'connect':
    case 'silent':
    case 'wake':
      return [state, []]
  }
}

function whileOpen(state: ConnectionState, input: ConnectionInput, policy: ConnectionPolicy): Transition {
  if (input.type === 'disconnect') return [IDLE, [GOODBYE]]
  if (input.type === 'closed' && input.code === MOVED) return dial(0)
  if (input.type === 'closed') return afterSilence(lost(0, input, policy), input.code === SILENT)
  if (input.type !== 'silent') return [state, []]
  const end = { code: SILENT, reason: 'no heartbeat', retryAfterS: null }
  const hangUp: ConnectionEffect = { type: 'hang-up', code: end.code, reason: end.reason }
  return afterSilence(lost(0, end, policy, [hangUp]), true)
}

/** What was shown may have been old before anybody knew. */
function afterSilence([next, effects]: Transition, wasSilent: boolean): Transition {
  return [next.name === 'waiting' ? { ...next, afterSilence: wasSilent } : next, effects]
}

function dial(attempt: number, afterSilence = false): Transition {
  return [
    { name: 'connecting', attempt, afterSilence },
    [CLEAR, { type: 'set-timer', ms: CONNECT_TIMEOUT_MS }, { type: 'dial' }],
  ]
}

/** What follows the end of a connection (or of an attempt) after `attempt` reconnects in a row. */
function lost(
  attempt: number,
  end: { code: number; reason: string; retryAfterS: number | null },
  policy: ConnectionPolicy,
  first: readonly ConnectionEffect[] = [],
): Transition {
  const reason = describeClose(end.code, end.reason)
  const effects = [...first, CLEAR]
  switch (verdictOf(end.code)) {
    case 'stop':
      return [IDLE, effects]
    case 'fail':
      return [{ name: 'abandoned', reason, cause: null, code: end.code }, effects]
    case 'retry': {
      const next = attempt + 1
      const delayMs = reconnectDelay(next, { ...policy, retryAfterS: end.retryAfterS })
      if (delayMs === null)
        return [{ name: 'abandoned', reason: GAVE_UP, cause: reason, code: null }, effects]
      return [
        { name: 'waiting', attempt: next, delayMs, afterSilence: false, reason },
        [...effects, { type: 'set-timer', ms: delayMs }],
      ]
    }
  }
}
