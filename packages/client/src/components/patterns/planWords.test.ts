import { describe, expect, it } from 'vitest'
import { fragileLines, rosettesIn, warningLines } from './planWords'

describe('the plan of a pattern', () => {
  it.each([
    ['1', 1],
    [' 20 ', 20],
    ['10000', 10_000],
    ['10001', null],
    ['0', null],
    ['1.5', null],
    ['', null],
    ['many', null],
  ])('is made for %j rosettes', (text, n) => {
    expect(rosettesIn(text)).toBe(n)
  })

  it('says once what is said of several rings', () => {
    const of = (code: string, ring: number) => ({
      code,
      pointer: `/geometry/rings/${ring}/x`,
      message: 'ring',
    })

    expect(
      warningLines([of('no_family', 0), of('no_radius', 1), of('no_family', 1), of('no_family', 2)]),
    ).toEqual([
      'Rings 1, 2 and 3 name no strip family: not counted in any stock.',
      'Ring 2 has no radius: its strip is not counted.',
    ])
  })

  it('leaves other warnings their words, and out what has a place of its own', () => {
    const warnings = [
      { code: 'untraditional_tiles', pointer: '/geometry/rings/1/segments', message: 'ring 2 has 24 tiles' },
      { code: 'below_minimum', pointer: '/materials/0', message: 'Maple would fall below its minimum' },
      { code: 'fragile', pointer: '/geometry/rings/1', message: 'ring 2 is fragile' },
      { code: 'not_enough_stock', pointer: '/materials/0', message: 'too little' },
    ]

    expect(warningLines(warnings)).toEqual(['Ring 2 has 24 tiles.', 'Maple would fall below its minimum.'])
  })

  it('names the rings that break easily, and why', () => {
    const rings = [
      { index: 0, fragility: 'low', fragile_by: [] },
      { index: 1, fragility: 'high', fragile_by: ['thin_strip', 'short_grain'] },
      { index: 2, fragility: null, fragile_by: [] },
    ] as const

    expect(fragileLines(rings.map((ring) => ({ ...ring, fragile_by: [...ring.fragile_by] })))).toEqual([
      'Ring 2 (high): a very thin strip, short grain from a steep angle.',
    ])
  })
})
