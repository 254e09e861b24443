import { describe, expect, it } from 'vitest'
import type { ExpectedEnd } from '@/api/analytics'
import { endInList, endInWords } from './expectedEnd'

const NOW = new Date(2026, 10, 24, 9, 0)
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).toISOString()

function eta(more: Partial<ExpectedEnd> = {}): ExpectedEnd {
  return {
    expected_end: at(24, 9, 40),
    interval: [at(24, 9, 30), at(24, 10)],
    basis: 'pattern',
    n: 12,
    overrun_s: 0,
    too_few: false,
    ...more,
  } as ExpectedEnd
}

/** The space before AM and PM is a narrow one in some versions of the tables. */
const plain = (text: string | null) => text?.replaceAll('\u202F', ' ')
const told = (more: Partial<ExpectedEnd>) => endInWords(eta(more), NOW.valueOf())

describe('the expected end of a job', () => {
  it('is told with its interval and what it rests on', () => {
    const { end, interval, basis, overrun } = told({})

    expect(plain(end)).toBe('9:40 AM, in 40\u00A0min')
    expect(plain(interval)).toBe('between 9:30 AM and 10:00 AM')
    expect(basis).toBe('12 jobs of this pattern and kind')
    expect(overrun).toBeNull()
  })

  it('names the day where that is another one', () => {
    expect(plain(told({ expected_end: at(25, 9) }).end)).toBe('Nov 25, 9:00 AM, in 1\u00A0d')
  })

  it.each([
    [at(24, 9, 0), '9:00 AM, any moment'],
    [new Date(NOW.valueOf() + 30_000).toISOString(), '9:00 AM, in less than a minute'],
  ])('is near: %s', (expected_end, text) => {
    expect(plain(told({ expected_end }).end)).toBe(text)
  })

  it.each([
    ['job_type+progress', '12 jobs of this kind, and its progress'],
    ['progress', 'its progress'],
    ['none', null],
  ])('rests on %s', (basis, text) => {
    expect(told({ basis }).basis).toBe(text)
  })

  it('says plainly that there are too few like it', () => {
    const none = { interval: null, n: 2, overrun_s: null }

    expect(told({ ...none, expected_end: null }).end).toBe('Too few like it yet to say (n = 2)')
    expect(told({ ...none, expected_end: null }).interval).toBeNull()
    expect(told(none).interval).toBe('Too few like it yet to say (n = 2)')
  })

  it('says that it runs longer than such jobs do', () => {
    const late = told({ expected_end: null, interval: null, n: 0, overrun_s: 600 })

    expect(late.overrun).toBe('Running long: nine in ten like it were done 10\u00A0min 00\u00A0s sooner.')
    expect(late.end).toBe('None like it ever ran longer')
  })

  it('may be out of sight', () => {
    expect(told({ expected_end: null, interval: [null, null] }).end).toBe('In more than ten years')
    expect(plain(told({ interval: [at(24, 10), null] }).interval)).toBe('after 10:00 AM')
  })

  it('is short in a list', () => {
    expect(plain(endInList(eta(), NOW.valueOf()))).toBe('done about 9:40 AM')
    expect(endInList(eta({ overrun_s: 5 }), NOW.valueOf())).toBe('running long')
    expect(endInList(eta({ expected_end: null }), NOW.valueOf())).toBeNull()
  })
})
