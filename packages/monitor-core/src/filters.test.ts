import { describe, expect, it } from 'vitest'
import { categoryOf, covers, EVERYTHING, filtersOf, includes, maskOf } from './filters'

describe('filters', () => {
  it('name everything when they are left out, and nothing when the list is empty', () => {
    expect(maskOf()).toBe(EVERYTHING)
    expect(filtersOf(maskOf([]))).toEqual([])
  })

  it('come back in their published order, without repeats', () => {
    expect(filtersOf(maskOf(['metrics', 'job', 'job']))).toEqual(['job', 'metrics'])
  })

  it('are called all when nothing is left out', () => {
    expect(filtersOf(maskOf(['job', 'pattern', 'material', 'metrics']))).toEqual(['all'])
  })

  it('refuse a name that is none, and say which are', () => {
    expect(() => maskOf(['jobs'])).toThrow(
      'unknown filter "jobs"; expected one of job, pattern, material, metrics, all',
    )
  })

  it('let through what they name', () => {
    expect(includes(maskOf(['job']), 'job')).toBe(true)
    expect(includes(maskOf(['job']), 'pattern')).toBe(false)
    expect(covers(maskOf(['job', 'pattern']), maskOf(['job']))).toBe(true)
    expect(covers(maskOf(['job']), maskOf(['job', 'pattern']))).toBe(false)
  })

  it.each([
    ['job:custom_status', 'job'],
    ['metrics:snapshot', 'metrics'],
    ['robot:moved', null],
    ['job:', null],
    ['job', null],
  ])('%s is of category %s', (type, category) => {
    expect(categoryOf(type)).toBe(category)
  })
})
