import { describe, expect, it } from 'vitest'
import { reconnectDelay } from './backoff'

const published = { maxAttempts: 5, random: null, retryAfterS: null }

describe('reconnectDelay', () => {
  it('waits 1, 2, 4, 8 and 16 seconds, then gives up', () => {
    const delays = [1, 2, 3, 4, 5, 6].map((attempt) => reconnectDelay(attempt, published))

    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, null])
  })

  it('stays at 16 seconds for ever where it never gives up', () => {
    const endless = { ...published, maxAttempts: Infinity }

    expect(reconnectDelay(6, endless)).toBe(16_000)
    expect(reconnectDelay(100_000, endless)).toBe(16_000)
  })

  it('draws from the whole wait with jitter', () => {
    expect(reconnectDelay(3, { ...published, random: 0 })).toBe(0)
    expect(reconnectDelay(3, { ...published, random: 0.5 })).toBe(2000)
    expect(reconnectDelay(3, { ...published, random: 0.999_999 })).toBe(3999)
  })

  it('waits at least as long as the server asked for', () => {
    expect(reconnectDelay(1, { ...published, retryAfterS: 3 })).toBe(3000)
    expect(reconnectDelay(5, { ...published, retryAfterS: 3 })).toBe(16_000)
    expect(reconnectDelay(1, { ...published, random: 0.5, retryAfterS: 3 })).toBe(3500)
  })

  it('makes no attempt where none is allowed', () => {
    expect(reconnectDelay(1, { ...published, maxAttempts: 0 })).toBeNull()
  })
})
