import { describe, expect, it } from 'vitest'
import { NOT_A_NUMBER, parseNumber } from './numbers'

describe('a number that somebody types', () => {
  it.each([
    ['2.5', 2.5],
    ['2,5', 2.5],
    [' 40 ', 40],
    ['-0.1', -0.1],
    ['.5', 0.5],
    ['', null],
    ['   ', null],
    ['2.5 mm', NOT_A_NUMBER],
    ['1e3', NOT_A_NUMBER],
    ['0x10', NOT_A_NUMBER],
    ['1,234.5', NOT_A_NUMBER],
    ['Infinity', NOT_A_NUMBER],
  ])('%j', (text, value) => {
    expect(parseNumber(text)).toBe(value)
  })
})
