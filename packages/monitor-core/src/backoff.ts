/** How long to wait before the next attempt: 1, 2, 4, 8, 16 s. Pure; the random number is the caller's. */

/** Attempts before a connection is given up. */
export const maxReconnectAttempts = 5
/** Milliseconds before the first attempt. */
export const initialDelay = 1000
/** Longest wait between two attempts, in milliseconds. */
export const maxDelay = 16_000

export interface BackoffOptions {
  /** Attempts that are made; `Infinity` never gives up. */
  readonly maxAttempts: number
  /** A number of [0, 1) spreads the attempts of many clients over the whole wait ("full jitter"); null does not. */
  readonly random: number | null
  /** The least wait the server asked for, in seconds; null when it did not. */
  readonly retryAfterS: number | null
}

/**
 * Milliseconds to wait before attempt number `attempt` (1 is the first); null when the attempts are spent.
 *
 * Full jitter after https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/. What the server asked
 * for is a floor, and the jitter comes on top of it, so that a restarted server is not met by everybody at once.
 */
export function reconnectDelay(
  attempt: number,
  { maxAttempts, random, retryAfterS }: BackoffOptions,
): number | null {
  if (attempt > maxAttempts) return null
  // The exponent is bounded as well: an endless client reaches attempts where 2 ** n is no number any more.
  const full = Math.min(maxDelay, initialDelay * 2 ** Math.min(attempt - 1, 30))
  const own = random === null ? full : Math.floor(random * full)
  if (retryAfterS === null) return own
  const asked = retryAfterS * 1000
  return random === null ? Math.max(asked, own) : asked + own
}
