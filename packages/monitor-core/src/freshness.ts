/** How much what is on the screen can be trusted to be the present. */

import type { ConnectionState } from './connection'

/**
 * * `live`: connected, and all there is has been seen
 * * `lagging`: connected, but events are still on their way
 * * `stale`: the line went silent; a new one is being made
 * * `offline`: no connection
 */
export type Freshness = 'live' | 'lagging' | 'stale' | 'offline'

/** Events behind the head that are no delay yet: about what a busy shop makes in one tick of the server. */
const TOLERATED_LAG = 100

/** `isCatchingUp`: events asked for by a start are still coming. `lag`: as the last heartbeat told. */
export function freshnessOf(state: ConnectionState, isCatchingUp: boolean, lag: number): Freshness {
  switch (state.name) {
    case 'open':
      return isCatchingUp || lag > TOLERATED_LAG ? 'lagging' : 'live'
    case 'connecting':
    case 'waiting':
      return state.afterSilence ? 'stale' : 'offline'
    case 'idle':
    case 'abandoned':
      return 'offline'
  }
}
