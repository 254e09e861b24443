import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fromLocalText, localText, presets, spanBetween } from './localTime'

const at = (text: string) => new Date(text).valueOf()
const inLocalTime = (span: { from: string; to: string }) => [localText(span.from), localText(span.to)]

beforeEach(() => vi.stubEnv('TZ', 'Europe/Berlin'))
afterEach(() => vi.unstubAllEnvs())

describe('local times', () => {
  it('go into a control and come back as they were', () => {
    const time = '2026-11-24T06:00:00.000Z'

    expect(localText(time)).toBe('2026-11-24T07:00')
    expect(fromLocalText(localText(time))).toBe(time)
    expect(localText('2026-11-24T06:00:07Z')).toBe('2026-11-24T07:00:07')
  })

  it.each(['', '2026-13-01T00:00'])('are none where the control holds %j', (text) => {
    expect(fromLocalText(text)).toBeNull()
  })

  it.each([
    ['2026-11-24T07:00Z', '2026-11-24T06:00Z'],
    ['2026-11-24T07:00Z', '2026-11-24T07:00Z'],
    ['yesterday', '2026-11-24T07:00Z'],
    [undefined, '2026-11-24T07:00Z'],
  ])('make no span from %s to %s', (from, to) => {
    expect(spanBetween(from, to)).toBeNull()
  })
})

describe('usual times', () => {
  const early = { name: 'early', days: [1, 2, 3, 4, 5], start: '06:00', end: '14:00' }
  const night = { name: 'night', days: [1, 2, 3, 4, 5], start: '22:00', end: '06:00' }

  it('are the last hour, today and the whole of yesterday where there are no shifts', () => {
    const [hour, today, yesterday, ...more] = presets(at('2026-11-24T10:20:30'), []).map(({ span }) =>
      inLocalTime(span),
    )

    expect(hour).toEqual(['2026-11-24T09:21', '2026-11-24T10:21'])
    expect(today).toEqual(['2026-11-24T00:00', '2026-11-24T10:21'])
    expect(yesterday).toEqual(['2026-11-23T00:00', '2026-11-24T00:00'])
    expect(more).toEqual([])
  })

  it('have each shift that began yesterday instead, also one over midnight', () => {
    const found = presets(at('2026-11-24T10:20:30'), [early, night]).slice(2)

    expect(found.map(({ label }) => label)).toEqual(['Yesterday, early', 'Yesterday, night'])
    expect(found.map(({ span }) => inLocalTime(span))).toEqual([
      ['2026-11-23T06:00', '2026-11-23T14:00'],
      ['2026-11-23T22:00', '2026-11-24T06:00'],
    ])
  })

  it('have no shift of a day on which none works', () => {
    expect(presets(at('2026-11-23T10:00'), [early]).at(-1)?.label).toBe('Yesterday')
  })

  it('know days of 25 hours', () => {
    const yesterday = presets(at('2026-10-26T10:00'), []).at(-1)?.span

    expect(yesterday).toEqual({ from: '2026-10-24T22:00:00.000Z', to: '2026-10-25T23:00:00.000Z' })
  })
})
