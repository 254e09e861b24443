/**
 * What can go wrong when the server is asked, as values of one type.
 *
 * `status` 0: no answer came at all. Everything else carries the server's problem document (RFC 9457).
 */

export interface FieldProblem {
  /** JSON pointer into what was sent, e.g. `/geometry/rings/0/width_mm`. */
  pointer: string
  detail: string
}

export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    /** HTTP status, 0 when no answer came. */
    readonly status: number,
    /** Stable word for programs, e.g. `precondition_failed`. */
    readonly code: string,
    /** Sentence for people. */
    detail: string,
    readonly fields: readonly FieldProblem[] = [],
    /** Names the request in the server's log; null when no answer came. */
    readonly requestId: string | null = null,
    /** Seconds after which the server wants to be asked again; null when it said nothing. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail)
  }

  /** No answer: the server is down or cannot be reached. */
  get isUnreachable(): boolean {
    return this.status === 0
  }

  /** Asking again later may help. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

/** The error an unsuccessful response tells of. Never throws, whatever the body is. */
export async function errorFrom(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const problem = isRecord(body) ? body : {}
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return new ApiError(
    response.status,
    text(problem.code) ?? `http_${response.status}`,
    text(problem.detail) ?? text(problem.title) ?? `${response.status} ${response.statusText}`.trim(),
    Array.isArray(problem.errors) ? problem.errors.filter(isFieldProblem) : [],
    text(problem.request_id),
    Number.isFinite(retryAfter) ? retryAfter : null,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return isRecord(value) && typeof value.pointer === 'string' && typeof value.detail === 'string'
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
