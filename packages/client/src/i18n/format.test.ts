import { describe, expect, it } from 'vitest'
import {
  formatDuration,
  formatLength,
  formatMoments,
  formatNumber,
  formatPercent,
  formatRoundDuration,
} from './format'

describe('a number', () => {
  it.each([
    [1234.567, '1,234.57'],
    [0.456, '0.46'],
    [0.0456, '0.046'],
    [-0.00123, '−0.0012'],
    [0, '0'],
    [-4e-17, '0'],
  ])('%d is not rounded to nothing', (value, text) => {
    expect(formatNumber(value)).toBe(text)
  })

  it('with a unit neither', () => {
    expect(formatPercent(0.034)).toBe('0.034\u00A0%')
    expect(formatPercent(89.44)).toBe('89.4\u00A0%')
    expect(formatLength(0.045)).toBe('0.045 mm')
  })
})

describe('a duration', () => {
  it.each([
    [0, '0\u00A0s'],
    [0.34, '0.3\u00A0s'],
    [9.5, '9.5\u00A0s'],
    [59.6, '1\u00A0min 00\u00A0s'],
    [3700, '1\u00A0h 01\u00A0min'],
  ])('of %d s is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  it('is shorter beside an axis', () => {
    expect([0, 0.5, -2, 90].map(formatRoundDuration)).toEqual([
      '0',
      '0.5\u00A0s',
      '−2\u00A0s',
      '1\u00A0min 30\u00A0s',
    ])
  })
})

describe('moments beside an axis', () => {
  /** The space before AM and PM is a narrow one in some versions of the tables. */
  const shown = (...moments: string[]) => formatMoments(moments).map((text) => text.replace('\u202F', ' '))
  const at = (day: number, hour: number, minute = 0, second = 0) =>
    new Date(2026, 10, day, hour, minute, second).toISOString()

  it('are times within a day, also over midnight', () => {
    expect(shown(at(24, 9), at(24, 13, 30))).toEqual(['9:00 AM', '1:30 PM'])
    expect(shown(at(24, 22), at(25, 3))).toEqual(['10:00 PM', '3:00 AM'])
  })

  it('have seconds where minutes would be said twice', () => {
    expect(shown(at(24, 9, 0, 5), at(24, 9, 0, 40))).toEqual(['9:00:05 AM', '9:00:40 AM'])
  })

  it('are days otherwise, with the time where the day has been said', () => {
    expect(shown(at(1, 9), at(8, 9))).toEqual(['Nov 1', 'Nov 8'])
    expect(shown(at(23, 9), at(23, 18), at(24, 12))).toEqual(['Nov 23', '6:00 PM', 'Nov 24'])
  })

  it('may be none', () => {
    expect(shown()).toEqual([])
  })
})
