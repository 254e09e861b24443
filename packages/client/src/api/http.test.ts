import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from './errors'
import { nextCursor, request, setDoorkeeper } from './http'

const fetchMock = vi.fn<typeof fetch>()

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('fetch', fetchMock)
})

afterEach(() => {
  setDoorkeeper(null)
  vi.useRealTimers()
  vi.unstubAllGlobals()
  fetchMock.mockReset()
})

function answer(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}

function header(call: number, name: string): string | null {
  return new Headers(fetchMock.mock.calls[call]?.[1]?.headers).get(name)
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const outcome = promise.then(
    () => new Error('was expected to fail'),
    (error: unknown) => error,
  )
  await vi.runAllTimersAsync()
  const error = await outcome
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

describe('a problem document', () => {
  it('becomes an error that names each field', async () => {
    const errors = [{ pointer: '/ring_count', detail: 'must be at least 1' }]
    fetchMock.mockResolvedValue(
      answer({ code: 'invalid', detail: 'ring_count: must be at least 1', errors, request_id: 'r1' }, 422),
    )

    const error = await failure(request('/x', { method: 'POST', body: {} }))

    expect(error).toMatchObject({ status: 422, code: 'invalid', fields: errors, requestId: 'r1' })
    expect(error.message).toBe('ring_count: must be at least 1')
  })

  it('is not needed: any body gives an error with its status', async () => {
    fetchMock.mockResolvedValue(new Response('<h1>no</h1>', { status: 418, statusText: 'teapot' }))

    expect(await failure(request('/x'))).toMatchObject({ status: 418, code: 'http_418' })
  })

  it('says when to ask again', async () => {
    fetchMock.mockResolvedValue(answer({ code: 'unavailable' }, 503, { 'Retry-After': '3' }))

    expect(await failure(request('/x'))).toMatchObject({ retryAfterS: 3, isTemporary: true })
  })
})

describe('a broken connection', () => {
  it('makes a write be sent again under the same key', async () => {
    fetchMock.mockRejectedValueOnce(new TypeError('failed')).mockResolvedValueOnce(answer({ success: true }))

    const done = request('/x', { method: 'POST', body: { name: 'a' } })
    await vi.runAllTimersAsync()
    await done

    expect(fetchMock).toHaveBeenCalledTimes(2)
    expect(header(0, 'Idempotency-Key')).toMatch(/^[0-9a-f]{32}$/)
    expect(header(1, 'Idempotency-Key')).toBe(header(0, 'Idempotency-Key'))
  })

  it('ends in one error after three tries', async () => {
    fetchMock.mockRejectedValue(new TypeError('failed'))

    const error = await failure(request('/x', { method: 'DELETE' }))

    expect(error).toMatchObject({ status: 0, isUnreachable: true })
    expect(fetchMock).toHaveBeenCalledTimes(3)
  })

  it('does not repeat a refused write', async () => {
    fetchMock.mockResolvedValue(answer({ code: 'conflict', detail: 'no' }, 409))

    await failure(request('/x', { method: 'PUT', body: {} }))

    expect(fetchMock).toHaveBeenCalledTimes(1)
  })

  it('is what a proxy tells of with a bare 502', async () => {
    fetchMock.mockResolvedValue(new Response('', { status: 502 }))

    expect(await failure(request('/x'))).toMatchObject({ status: 0 })
  })
})

describe('headers', () => {
  it('carry the version a change is based on', async () => {
    fetchMock.mockResolvedValue(answer({}))

    await request('/x', { method: 'PUT', body: {}, ifMatch: 7 })

    expect(header(0, 'If-Match')).toBe('"7"')
  })

  it('give two writes two keys, and a read none', async () => {
    fetchMock.mockImplementation(() => Promise.resolve(answer({})))

    await request('/x', { method: 'POST', body: {} })
    await request('/x', { method: 'POST', body: {} })
    await request('/x')

    expect(header(0, 'Idempotency-Key')).not.toBe(header(1, 'Idempotency-Key'))
    expect(header(2, 'Idempotency-Key')).toBeNull()
  })
})

describe('the cursor of the next page', () => {
  it.each([
    ['</api/x?limit=2&after=a%2Bb>; rel="next"', 'a+b'],
    ['</api/x?limit=2>; rel="prev", </api/x?after=c>; rel="next"', 'c'],
    ['', null],
  ])('in %j is %j', (link, cursor) => {
    expect(nextCursor(new Headers(link ? { Link: link } : {}))).toBe(cursor)
  })
})

describe('a session that has ended', () => {
  const loggedOut = () => answer({ code: 'unauthorized', detail: 'log in' }, 401)

  it('makes the request again, with the same key, when the user is back', async () => {
    setDoorkeeper({ regained: () => Promise.resolve(true), refused: vi.fn() })
    fetchMock.mockResolvedValueOnce(loggedOut()).mockResolvedValueOnce(answer({ id: 1 }))

    const { body } = await request('/x', { method: 'POST', body: {} })

    expect(body).toEqual({ id: 1 })
    expect(header(1, 'Idempotency-Key')).toBe(header(0, 'Idempotency-Key'))
  })

  it('is told when somebody else came, or a second time', async () => {
    setDoorkeeper({ regained: () => Promise.resolve(false), refused: vi.fn() })
    fetchMock.mockImplementation(() => Promise.resolve(loggedOut()))
    expect((await failure(request('/x'))).status).toBe(401)
    expect(fetchMock).toHaveBeenCalledTimes(1)

    setDoorkeeper({ regained: () => Promise.resolve(true), refused: vi.fn() })
    expect((await failure(request('/x'))).status).toBe(401)
    expect(fetchMock).toHaveBeenCalledTimes(3)
  })

  it('does not hold up what needs no login', async () => {
    const regained = vi.fn()
    setDoorkeeper({ regained, refused: vi.fn() })
    fetchMock.mockResolvedValue(loggedOut())

    expect((await failure(request('/login', { method: 'POST', body: {}, isOpen: true }))).status).toBe(401)
    expect(regained).not.toHaveBeenCalled()
  })

  it('makes the app look again who is there when something is forbidden', async () => {
    const refused = vi.fn()
    setDoorkeeper({ regained: vi.fn(), refused })
    fetchMock.mockResolvedValue(answer({ code: 'forbidden', detail: 'takes the role operator' }, 403))

    expect((await failure(request('/x'))).status).toBe(403)
    expect(refused).toHaveBeenCalledOnce()
  })
})
