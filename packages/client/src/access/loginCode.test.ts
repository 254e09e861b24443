import { describe, expect, it, vi } from 'vitest'
import { codeIn, takeLoginCode } from './loginCode'

describe('the code of a login link', () => {
  it.each([
    ['#login=abc-DEF_1', 'abc-DEF_1'],
    ['#login=a%2Bb', 'a+b'],
    ['#login=%', '%'],
    ['#login=', null],
    ['#main', null],
    ['', null],
  ])('in %j is %j', (hash, code) => {
    expect(codeIn(hash)).toBe(code)
  })

  it('leaves the address at once, and nothing else of it does', () => {
    const replaceState = vi.fn()

    const code = takeLoginCode(
      { hash: '#login=once', pathname: '/jobs', search: '?q=glue' },
      { state: { position: 3 }, replaceState },
    )

    expect(code).toBe('once')
    expect(replaceState).toHaveBeenCalledExactlyOnceWith({ position: 3 }, '', '/jobs?q=glue')
  })

  it('is not looked for in any other fragment', () => {
    const replaceState = vi.fn()

    expect(
      takeLoginCode({ hash: '#main', pathname: '/', search: '' }, { state: null, replaceState }),
    ).toBeNull()
    expect(replaceState).not.toHaveBeenCalled()
  })
})
