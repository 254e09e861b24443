import { describe, expect, it } from 'vitest'
import type { Pattern } from '@/api/types'
import { patternRecipe, previewOf } from './recipe'

function pattern(geometry: object, more: Partial<Pattern> = {}): Pattern {
  return {
    id: 'p1',
    version: 1,
    name: 'Rope',
    ring_count: 1,
    pattern_type: 'rosette',
    geometry,
    created_at: '2026-11-24T08:00:00.000Z',
    updated_at: '2026-11-24T08:00:00.000Z',
    ...more,
  }
}

describe('a pattern in its form', () => {
  it.each([
    [
      {
        soundhole_diameter_mm: 88,
        rings: [{ kind: 'tiles', radius_mm: 47.5, width_mm: 2, tile_length_mm: 2.4 }],
      },
    ],
    [{ rings: [{ radius: 40, angle: 5 }], note: 'kept' }],
    [{ rings: [] }],
    [{}],
    [
      {
        rings: [
          { kind: 'purfling', strips: [{ width_mm: 0.5, material: 'ebony', color: '#111111', lot: 7 }] },
        ],
      },
    ],
  ])('comes out as it went in: %j', (geometry) => {
    const draft = patternRecipe.toDraft(pattern(geometry))

    const { fields, problems } = patternRecipe.toFields(draft)

    expect(problems).toEqual([])
    expect(fields.geometry).toEqual(geometry)
  })

  it('counts its rings itself, and asks only when there are none', () => {
    const draft = patternRecipe.toDraft(pattern({ rings: [{}, {}] }, { ring_count: 2 }))
    draft.rings.pop()
    expect(patternRecipe.toFields(draft).fields.ring_count).toBe(1)

    draft.rings.pop()
    draft.ring_count = ''
    expect(patternRecipe.toFields(draft).problems).toMatchObject([{ pointer: '/ring_count' }])
  })

  it('points to the number that is none, and draws the rest', () => {
    const draft = patternRecipe.toDraft(pattern({ rings: [{ radius_mm: 50, width_mm: 2 }] }))
    draft.rings[0]!.numbers.width_mm = '2.'
    expect(previewOf(draft).rings?.[0]).toMatchObject({ radius_mm: 50, width_mm: 2 })

    draft.rings[0]!.numbers.width_mm = 'x'
    expect(previewOf(draft).rings?.[0]).not.toHaveProperty('width_mm')
    expect(patternRecipe.toFields(draft).problems).toMatchObject([{ pointer: '/geometry/rings/0/width_mm' }])
  })
})
