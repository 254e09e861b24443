import { describe, expect, it } from 'vitest'
import { barsOf, ranked } from './causes'
import { readingOf, residualReadingOf } from './controlValues'
import { conditionOf, offeredBys } from './groups'
import { beginningAndEnd, bucketDays, buckets, endedBetween, rollingRate } from './series'
import { daysText } from './shifts'
import { boundsOf, changed, isOfAllTime, numberIn, oneOf, periodBetween, periodOf } from './urlState'
import { waterfall } from './waterfall'

const TODAY = '2026-11-24'

describe('the period in the address', () => {
  it.each([
    [{}, { days: 30, until: null }],
    [{ days: '90' }, { days: 90, until: null }],
    [{ days: '0' }, { days: 30, until: null }],
    [{ days: 'many' }, { days: 30, until: null }],
    [
      { days: '7', until: '2026-11-10' },
      { days: 7, until: '2026-11-10' },
    ],
    [
      { days: '7', until: '2027-01-01' },
      { days: 7, until: null },
    ],
    [
      { days: '7', until: 'soon' },
      { days: 7, until: null },
    ],
  ])('%o is %o', (query, period) => {
    expect(periodOf(query, TODAY)).toEqual(period)
  })

  it('is of all time only where somebody chose that, and then the longest on pages of no more', () => {
    expect(isOfAllTime({})).toBe(false)
    expect(isOfAllTime({ days: '365' })).toBe(false)
    expect(isOfAllTime({ days: 'all' })).toBe(true)
    expect(periodOf({ days: 'all', until: '2026-11-10' }, TODAY)).toEqual({ days: 365, until: null })
  })

  it('has a first and a last day, both included', () => {
    expect(boundsOf({ days: 7, until: null }, TODAY)).toEqual({ from: '2026-11-18', to: TODAY })
    expect(boundsOf({ days: 1, until: '2026-03-01' }, TODAY)).toEqual({
      from: '2026-03-01',
      to: '2026-03-01',
    })
  })

  it.each([
    ['2026-11-18', TODAY, { days: 7, until: null }],
    ['2026-11-01', '2026-11-10', { days: 10, until: '2026-11-10' }],
    ['2020-01-01', TODAY, { days: 365, until: null }],
    ['2026-11-10', '2026-11-01', { days: 1, until: '2026-11-01' }],
    ['2026-11-20', '2026-12-24', { days: 5, until: null }],
    ['', TODAY, null],
  ])('between %s and %s', (from, to, period) => {
    expect(periodBetween(from, to, TODAY)).toEqual(period)
  })

  it('keeps what else is asked for, and drops what is taken away', () => {
    expect(changed({ days: '90', machine_id: 'cnc1' }, { days: 7, machine_id: null, z: '' })).toEqual({
      days: '7',
    })
  })

  it('has only words and numbers that are known', () => {
    expect(oneOf({ by: 'weather' }, 'by', ['machine', 'project'])).toBe('machine')
    expect(oneOf({ by: ['project', 'machine'] }, 'by', ['machine', 'project'])).toBe('machine')
    expect(numberIn({ z: '99' }, 'z', 3, 0.5, 10)).toBe(3)
    expect(numberIn({ z: '2.5' }, 'z', 3, 0.5, 10)).toBe(2.5)
  })
})

describe('days', () => {
  const days = Array.from({ length: 10 }, (_, index) => ({
    date: `2026-11-${String(index + 1).padStart(2, '0')}`,
    completed: index,
    failed: 1,
  }))

  it('are put together from the newest back, and none is lost', () => {
    const found = buckets(days, 7)

    expect(found.map(({ from, to }) => [from, to])).toEqual([
      ['2026-11-01', '2026-11-03'],
      ['2026-11-04', '2026-11-10'],
    ])
    expect(found.reduce((sum, { completed }) => sum + completed, 0)).toBe(45)
    expect(found.reduce((sum, { failed }) => sum + failed, 0)).toBe(10)
  })

  it('become weeks where they are many', () => {
    expect([30, 90, 365].map((count) => bucketDays(count, 45))).toEqual([1, 7, 28])
  })

  it('pool their jobs, so that one job does not count like a hundred', () => {
    const two = [
      { date: 'a', completed: 0, failed: 1 },
      { date: 'b', completed: 99, failed: 0 },
      { date: 'c', completed: 0, failed: 0 },
    ]
    expect(rollingRate(two, 2)).toEqual([0, 99, 100])
    expect(rollingRate(two.slice(2), 2)).toEqual([null])
  })

  it.each([
    ['none', [null, null, null, null], null],
    ['a single one', [null, 90, 90, null], null],
    ['two that share a day', [80, 80, 85, null], null],
    ['two that share none', [null, 80, 85, 90], [80, 90]],
  ])('have a beginning and an end: %s', (_, rolling, expected) => {
    expect(beginningAndEnd(rolling, 2)).toEqual(expected)
  })

  it('become the conditions of the jobs behind them', () => {
    expect(endedBetween('2026-02-27', '2026-02-28')).toEqual({
      outcome_at_from: '2026-02-27',
      outcome_at_before: '2026-03-01',
    })
  })
})

describe('days of the week', () => {
  it.each([
    [[1, 2, 3, 4, 5], 'Mon–Fri'],
    [[1, 2, 4, 6, 7], 'Mon, Tue, Thu, Sat, Sun'],
    [[1, 3, 4, 5, 7], 'Mon, Wed–Fri, Sun'],
    [[], ''],
  ])('are said as spans: %j', (days, text) => {
    expect(daysText(days)).toBe(text)
  })
})

describe('what figures are grouped by', () => {
  it('are shifts only where there are some, or where they are asked for', () => {
    const early = { name: 'early', days: [1], start: '06:00', end: '14:00' }
    expect(offeredBys([], 'machine')).not.toContain('shift')
    expect(offeredBys(undefined, 'shift')).toContain('shift')
    expect(offeredBys([early], 'machine')).toContain('shift')
  })

  it('leads to the jobs of a group, and to all where a list has no such condition', () => {
    expect(conditionOf('machine', 'cnc1')).toEqual({ machine_id: 'cnc1' })
    expect(conditionOf('machine', null)).toEqual({})
    expect(conditionOf('shift', 'early')).toEqual({})
  })
})

describe('causes', () => {
  it('are ranked with their share and that of all up to them', () => {
    const found = ranked([
      { key: 'a', label: 'A', amount: 1 },
      { key: null, label: 'None', amount: 0 },
      { key: 'b', label: 'B', amount: 3 },
    ])

    expect(found.map(({ key, share, cumulative }) => [key, share, cumulative])).toEqual([
      ['b', 75, 75],
      ['a', 25, 100],
    ])
    expect(barsOf(found, String, () => 'note')[0]).toMatchObject({
      value: 3,
      text: '3',
      cumulative: 75,
      note: 'note',
    })
  })
})

describe('the waterfall of OEE', () => {
  it('multiplies step by step and ends at the product', () => {
    const steps = waterfall({ availability: 0.5, effectiveness: 0.8, quality: 0.9 })

    expect(steps?.map(({ kind }) => kind)).toEqual(['total', 'loss', 'loss', 'loss', 'total'])
    expect(steps?.at(-1)?.to).toBeCloseTo(0.36)
  })

  it('shows a gain where work was faster than planned', () => {
    const step = waterfall({ availability: 0.5, effectiveness: 1.2, quality: 1 })?.[2]

    expect(step).toMatchObject({ kind: 'gain', from: 0.5, to: 0.6 })
  })

  it('is not drawn from what is not known', () => {
    expect(waterfall({ availability: 0.5, effectiveness: null, quality: 1 })).toBeNull()
  })
})

describe('the values of a control chart', () => {
  it('are what was measured, or how much more or less than expected', () => {
    expect(readingOf('duration').format(605)).toBe('10\u00A0min 05\u00A0s')
    expect(residualReadingOf('duration').format(605)).toBe('+10\u00A0min 05\u00A0s')
    expect(residualReadingOf('duration').format(-45)).toBe('−45\u00A0s')
    expect(residualReadingOf('kerf_drift').format(0)).toBe('0 mm')
  })
})
