/** What a client does after a close: come back, stop, or stop and tell a person why. */

import type { Closing } from './messages'

/**
 * * `retry`: come back with back-off and resume
 * * `stop`: the server ended it properly; nothing to tell
 * * `fail`: coming back would end the same way; a person must be told
 */
export type Verdict = 'retry' | 'stop' | 'fail'

/** The close code of a connection that this side gave up because nothing came any more. */
export const SILENT = 4008

/** Another tab holds the shared connection now; never on the wire. Nothing failed, so nothing is waited for. */
export const MOVED = 4001

const NORMAL = 1000
/** What a browser reports when no close frame arrived. */
const UNTOLD = new Set([1005, 1006])
/** Faults that would come again: protocol error, unacceptable data, text that is not UTF-8, message too big. */
const FATAL_STANDARD = new Set([1002, 1003, 1007, 1009])

/** The announcement, where it tells of this close; null where the socket knows better or nothing was announced. */
export function announcementOf(code: number, announced: Closing | null): Closing | null {
  return announced !== null && (announced.code === code || UNTOLD.has(code)) ? announced : null
}

/** What to do after this code, which is the announced one where `announcementOf` finds one. */
export function verdictOf(code: number): Verdict {
  if (code === NORMAL) return 'stop'
  if (FATAL_STANDARD.has(code) || (code >= 4400 && code <= 4999)) return 'fail'
  // Codes without a meaning here too: a needless retry costs little, a needless stop the screen.
  return 'retry'
}

const SENTENCES: Readonly<Record<number, string>> = {
  1000: 'the server ended the connection',
  1001: 'the server is shutting down',
  1002: 'the server found a protocol error',
  1003: 'the server cannot accept this data',
  1006: 'the connection was lost or could not be made',
  1007: 'the server received text that is not UTF-8',
  1009: 'a message was too big for the server',
  1011: 'the server had an internal error',
  1012: 'the server is restarting',
  4000: 'the server is shutting down',
  4008: 'nothing was heard from the server in time',
  4108: 'this screen was too slow to follow',
  4129: 'the server has too many connections',
  4301: 'the access token has expired',
  4302: 'the permissions have changed',
  4400: 'the server did not understand this client',
  4401: 'an access token is missing or not valid',
  4403: 'access was refused',
  4408: 'no access token was sent in time',
  4429: 'the server was sent too many commands',
  4500: 'the server had an internal error',
}

/** The end of a connection in words, e.g. `access was refused (code 4403: foreign origin)`. */
export function describeClose(code: number, reason: string): string {
  const sentence = SENTENCES[code] ?? 'the connection was closed'
  return `${sentence} (code ${code}${reason === '' ? '' : `: ${reason}`})`
}
