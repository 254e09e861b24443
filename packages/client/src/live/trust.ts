/** How far what is on the screen can be trusted, in one word for people. */

import type { ConnectionState, Freshness } from '@rmos/monitor-core'

/**
 * * `live`: this is the present
 * * `lagging`: connected, older changes are still arriving
 * * `connecting`: the first attempt is under way
 * * `reconnecting`: the connection was lost a moment ago
 * * `stale`: the line went silent without closing
 * * `offline`: the server has not answered for some time, or nobody tries any more
 */
export type Trust = 'live' | 'lagging' | 'connecting' | 'reconnecting' | 'stale' | 'offline'

/** Failed attempts in a row after which the server is said to be away rather than restarting. */
const PATIENCE = 3

export function trustOf(state: ConnectionState, freshness: Freshness, hasBeenLive: boolean): Trust {
  switch (state.name) {
    case 'open':
      return freshness === 'lagging' ? 'lagging' : 'live'
    case 'idle':
    case 'abandoned':
      return 'offline'
    case 'connecting':
    case 'waiting':
      if (state.attempt >= PATIENCE) return 'offline'
      if (state.afterSilence) return 'stale'
      if (hasBeenLive) return 'reconnecting'
      return state.name === 'connecting' && state.attempt === 0 ? 'connecting' : 'offline'
  }
}
