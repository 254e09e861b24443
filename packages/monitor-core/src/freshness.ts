/** How much what is on the screen can be trusted to be the present. */

import type { ConnectionState } from './connection'

/**
 * * `live`: connected, and all there is has been seen
 * * `lagging`: connected, but events are still on their way
 * * `stale`: the line went silent, and a new one is being made; or the server will not send what is wanted
 * * `offline`: no connection
 */
export type Freshness = 'live' | 'lagging' | 'stale' | 'offline'

/** Events behind the head that are no delay yet: about what a busy shop makes in one tick of the server. */
const TOLERATED_LAG = 100

/** `isRefused`: the server will not send what is wanted. `isCatchingUp`: events asked for by a start are still coming. `lag`: as the last heartbeat told. */
export function freshnessOf(
  state: ConnectionState,
  { isRefused, isCatchingUp, lag }: { isRefused: boolean; isCatchingUp: boolean; lag: number },
): Freshness {
  switch (state.name) {
    case 'open':
      if (isRefused) return 'stale'
      return isCatchingUp || lag > TOLERATED_LAG ? 'lagging' : 'live'
    case 'connecting':
    case 'waiting':
      return state.afterSilence ? 'stale' : 'offline'
    case 'idle':
    case 'abandoned':
      return 'offline'
  }
}
