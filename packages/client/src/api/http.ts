/**
 * `fetch` with the server's conventions.
 *
 * Rule 1: the result is the decoded body and the headers, or an `ApiError`; only an abort, the caller's own wish, passes as it is.
 * Rule 2: a write carries an Idempotency-Key, and a repeat after a broken connection carries the same one:
 *         whether the first try arrived or not, the change is made once.
 * Rule 3: where the session has ended, the request waits for the login of the same user and is then made again.
 */

import { ApiError, errorFrom } from './errors'

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  /** Version the change is based on; another stored version makes the server answer 412. */
  ifMatch?: number
  signal?: AbortSignal
  /** Let the request outlive the page. */
  keepalive?: boolean
  /** Needs no login: a 401 is an answer like any other. */
  isOpen?: boolean
}

export interface Answer {
  body: unknown
  headers: Headers
}

/** What the app does when the server does not let a request through. */
export interface Doorkeeper {
  /** Nobody is logged in any more. Whether the same user is again, after however long. */
  regained: () => Promise<boolean>
  /** Whoever is logged in may not do that. */
  refused: () => void
}

let doorkeeper: Doorkeeper | null = null

/** There is one for the whole app; null for none. */
export function setDoorkeeper(next: Doorkeeper | null): void {
  doorkeeper = next
}

/** Waits before the second and third try of a write, in milliseconds. */
const RETRY_DELAYS_MS: readonly number[] = [300, 1200]

export async function request(path: string, options: RequestOptions = {}): Promise<Answer> {
  const method = options.method ?? 'GET'
  const headers = new Headers({ Accept: 'application/json' })
  if (options.body !== undefined) headers.set('Content-Type', 'application/json')
  if (options.ifMatch !== undefined) headers.set('If-Match', `"${options.ifMatch}"`)
  if (method !== 'GET') headers.set('Idempotency-Key', randomKey())

  const init: RequestInit = { method, headers, keepalive: options.keepalive ?? false }
  if (options.body !== undefined) init.body = JSON.stringify(options.body)
  if (options.signal) init.signal = options.signal

  try {
    return await persistently(path, init)
  } catch (error) {
    if (!(error instanceof ApiError) || doorkeeper === null || options.isOpen) throw error
    if (error.status === 403) doorkeeper.refused()
    // Once: a server that says "log in" to who is logged in would be asked for ever.
    if (error.status !== 401 || !(await doorkeeper.regained())) throw error
    return await persistently(path, init)
  }
}

async function persistently(path: string, init: RequestInit): Promise<Answer> {
  // Reads are repeated by the query cache, which knows whether anybody still wants them.
  const delays = init.method === 'GET' ? [] : RETRY_DELAYS_MS
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(path, init)
    } catch (error) {
      const delay = delays[attempt]
      if (!(error instanceof ApiError && error.isUnreachable) || delay === undefined) throw error
      await new Promise((resolve) => setTimeout(resolve, delay))
    }
  }
}

async function once(path: string, init: RequestInit): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'unreachable', 'no answer from the server')
  }
  if (!response.ok) {
    // A development proxy or a reverse proxy answers for a server that is down, without a problem document.
    const fromServer = response.headers.get('Content-Type')?.includes('json') ?? false
    if (!fromServer && [500, 502, 504].includes(response.status)) {
      throw new ApiError(0, 'unreachable', 'no answer from the server')
    }
    throw await errorFrom(response)
  }
  try {
    return { body: await response.json(), headers: response.headers }
  } catch {
    throw new ApiError(response.status, 'not_json', 'the answer is not what an RMOS server sends')
  }
}

/** 128 random bits. `crypto.randomUUID` exists on https only, and a workshop's tablet comes over plain http. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The `after` of the page that `Link: <…?after=…>; rel="next"` points to; null on the last page. */
export function nextCursor(headers: Headers): string | null {
  const link = headers.get('Link')?.match(/<([^>]*)>\s*;\s*rel="?next"?/)
  if (!link?.[1]) return null
  return new URL(link[1], 'http://server').searchParams.get('after')
}
