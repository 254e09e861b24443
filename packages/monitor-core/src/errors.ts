/** What can go wrong, as one type. */

export type MonitorErrorCode =
  /** An attempt to connect failed; more may follow by themselves. */
  | 'connection_failed'
  /** The attempts are spent, or the server said that coming back is of no use. */
  | 'abandoned'
  /** Somebody disconnected before the connection was there. */
  | 'disconnected'
  /** The server refused a command; `serverCode` says which way. */
  | 'refused'
  /** The server sent what is no frame of the protocol. */
  | 'malformed_frame'
  /** `getToken` failed while the connection was open; `cause` is why. */
  | 'no_token'
  /** A handler of events threw; `cause` is what. */
  | 'handler_failed'

export class MonitorError extends Error {
  override readonly name = 'MonitorError'
  readonly code: MonitorErrorCode
  /** `system:error.data.code`, where the server refused; else null. */
  readonly serverCode: string | null

  constructor(
    code: MonitorErrorCode,
    message: string,
    { cause, serverCode = null }: { cause?: unknown; serverCode?: string | null } = {},
  ) {
    super(message, { cause })
    this.code = code
    this.serverCode = serverCode
  }
}
