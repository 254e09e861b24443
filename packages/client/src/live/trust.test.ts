import { describe, expect, it } from 'vitest'
import { trustOf } from './trust'

const connecting = { name: 'connecting', attempt: 0, afterSilence: false } as const
const waiting = { name: 'waiting', attempt: 1, delayMs: 1000, afterSilence: false, reason: 'gone' } as const

describe('how far the screen can be trusted', () => {
  it('is "live" only with an open connection that has shown everything', () => {
    expect(trustOf({ name: 'open' }, 'live', false)).toBe('live')
    expect(trustOf({ name: 'open' }, 'lagging', true)).toBe('lagging')
  })

  it('tells the first attempt from a lost connection', () => {
    expect(trustOf(connecting, 'offline', false)).toBe('connecting')
    expect(trustOf(connecting, 'offline', true)).toBe('reconnecting')
    expect(trustOf(waiting, 'offline', true)).toBe('reconnecting')
  })

  it('is "offline" when the first attempt failed, or several did', () => {
    expect(trustOf(waiting, 'offline', false)).toBe('offline')
    expect(trustOf({ ...waiting, attempt: 3 }, 'offline', true)).toBe('offline')
    expect(trustOf({ name: 'abandoned', reason: 'refused', cause: null, code: 4403 }, 'offline', true)).toBe(
      'offline',
    )
  })

  it('is "stale" after the line went silent', () => {
    expect(trustOf({ ...waiting, afterSilence: true }, 'stale', true)).toBe('stale')
  })
})
