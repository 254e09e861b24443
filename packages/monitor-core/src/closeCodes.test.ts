import { describe, expect, it } from 'vitest'
import { describeClose, announcementOf, verdictOf } from './closeCodes'
import type { Closing } from './messages'

const announced: Closing = {
  kind: 'closing',
  code: 4108,
  reason: 'too slow',
  reconnect: true,
  retryAfter: null,
}

describe('close codes', () => {
  it.each([
    [1000, 'stop'],
    [1001, 'retry'],
    [1002, 'fail'],
    [1003, 'fail'],
    [1005, 'retry'],
    [1006, 'retry'],
    [1007, 'fail'],
    [1009, 'fail'],
    [1011, 'retry'],
    [1012, 'retry'],
    [3000, 'retry'],
    [4000, 'retry'],
    [4399, 'retry'],
    [4400, 'fail'],
    [4999, 'fail'],
  ] as const)('%i means %s', (code, verdict) => {
    expect(verdictOf(code)).toBe(verdict)
  })

  it('believes the announcement where the socket says the same or could not tell', () => {
    expect(announcementOf(4108, announced)).toBe(announced)
    expect(announcementOf(1006, announced)).toBe(announced)
    expect(announcementOf(1005, announced)).toBe(announced)
    expect(announcementOf(4403, announced)).toBeNull()
    expect(announcementOf(1006, null)).toBeNull()
  })

  it('says the end in words, with the code for whoever looks it up', () => {
    expect(describeClose(4403, 'foreign origin')).toBe('access was refused (code 4403: foreign origin)')
    expect(describeClose(4999, '')).toBe('the connection was closed (code 4999)')
  })
})
