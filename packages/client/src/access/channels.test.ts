import { describe, expect, it } from 'vitest'
import { channelsText, parseChannels } from './channels'

describe('channels that somebody types', () => {
  it.each([
    ['', null],
    [' , ', null],
    ['machine:cnc1', ['machine:cnc1']],
    ['machine:cnc1, project:*', ['machine:cnc1', 'project:*']],
    ['a:1;b:2\na:1', ['a:1', 'b:2']],
  ])('%j', (text, channels) => {
    expect(parseChannels(text)).toEqual(channels)
  })

  it('are read again from how they are shown', () => {
    expect(parseChannels(channelsText(['a:1', 'b:*']))).toEqual(['a:1', 'b:*'])
    expect(channelsText(null)).toBe('')
  })
})
