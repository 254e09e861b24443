import { describe, expect, it } from 'vitest'
import type { Ring } from '@/api/types'
import { colorOf } from './colors'
import { drawRosette } from './drawing'
import { effectiveTileLength, remarksOn, tilesOf } from './rings'

const maple = { width_mm: 1, color: '#e8cfa0' }
const ebony = { width_mm: 1, color: '#241f1d' }

describe('tiles of a ring', () => {
  it.each([
    [{ radius_mm: 47.5, tile_length_mm: 2.4 }, 124, 2.4069],
    [{ radius_mm: 40, tile_length_mm: 2.5 }, 100, 2.5133],
    [{ radius_mm: 40, segments: 60 }, 60, 4.1888],
    [{ radius_mm: 45, segment_count: 72 }, 72, 3.927],
    [{ radius_mm: 50, tile_count: 84 }, 84, 3.74],
  ])('of %j are %i of %f mm', (ring: Ring, tiles, length) => {
    expect(tilesOf(ring)).toBe(tiles)
    expect(effectiveTileLength(ring)).toBeCloseTo(length, 3)
  })

  it('are unknown without the numbers', () => {
    expect(tilesOf({ radius_mm: 40 })).toBeNull()
    expect(tilesOf({ tile_length_mm: 2 })).toBeNull()
  })
})

describe('remarks', () => {
  it('find overlapping rings, whatever order they stand in', () => {
    const rings = [
      { radius_mm: 50, width_mm: 3 },
      { radius_mm: 48, width_mm: 3 },
    ]

    expect(remarksOn({ rings })).toEqual([{ ring: 0, severity: 'impossible', about: 'overlap', value: 1 }])
  })

  it('accept rings that touch', () => {
    const rings = [
      { radius_mm: 48.1, width_mm: 1.7 },
      { radius_mm: 49.8, width_mm: 1.7 },
    ]

    expect(remarksOn({ rings })).toEqual([])
  })

  it('find strips that do not fit, and a radius that is only unusual', () => {
    const rings = [{ radius_mm: 120, width_mm: 2, strips: [maple, ebony, maple] }]

    expect(remarksOn({ rings }).map((remark) => [remark.severity, remark.about])).toEqual([
      ['impossible', 'strips_too_wide'],
      ['unusual', 'radius_mm'],
    ])
  })

  it('say nothing where numbers are missing', () => {
    expect(remarksOn({ rings: [{}, { width_mm: 2 }] })).toEqual([])
    expect(remarksOn({})).toEqual([])
  })
})

describe('the drawing', () => {
  it('holds the widest ring and a soundhole of the usual size', () => {
    const drawing = drawRosette({ rings: [{ radius_mm: 60, width_mm: 4 }] })

    expect(drawing.soundholeRadius).toBe(50)
    expect(drawing.extent).toBe(65)
  })

  it('has one path for each colour, with a piece for each strip of each tile', () => {
    const ring = { radius_mm: 50, width_mm: 2, segments: 60, strips: [maple, ebony] }

    const areas = drawRosette({ rings: [ring] }).rings[0]?.areas ?? []

    expect(areas.map((area) => area.color)).toEqual([maple.color, ebony.color])
    expect(areas.map((area) => area.d.split('M').length - 1)).toEqual([60, 60])
  })

  it('covers every tile completely at any angle', () => {
    const ring: Ring = { radius_mm: 50, width_mm: 3, segments: 90, strips: [maple, ebony, maple] }
    const expected = Math.PI * (51.5 ** 2 - 48.5 ** 2)

    for (const herringbone_angle_deg of [0, 15, 45]) {
      const areas = drawRosette({ rings: [{ ...ring, herringbone_angle_deg }] }).rings[0]?.areas ?? []
      const covered = areas.reduce((sum, area) => sum + surface(area.d), 0)
      expect(covered / expected).toBeCloseTo(1, 2)
    }
  })

  it('keeps a purfling ring in concentric lines', () => {
    const ring = { kind: 'purfling', radius_mm: 50, width_mm: 2, segments: 60, strips: [maple, ebony] }

    const areas = drawRosette({ rings: [ring] }).rings[0]?.areas ?? []

    expect(areas).toHaveLength(2)
    expect(areas.every((area) => area.d.includes('A'))).toBe(true)
  })

  it('shows a line for a ring without a width, and nothing for a ring without a radius', () => {
    const { rings } = drawRosette({ rings: [{ radius_mm: 50 }, { width_mm: 3 }] })

    expect(rings.map((ring) => [ring.radius, ring.span, ring.areas.length])).toEqual([
      [50, null, 0],
      [null, null, 0],
    ])
  })

  it('shows the edges of tiles whose strips are not known', () => {
    const drawing = drawRosette({ rings: [{ radius_mm: 50, width_mm: 3, segments: 12 }] })

    expect(drawing.rings[0]?.edges.split('M').length).toBe(13)
    expect(drawing.rings[0]?.areas[0]?.color).toBeNull()
  })
})

describe('the colour of a strip', () => {
  it('is its own, else that of its species, else unknown', () => {
    expect(colorOf({ color: '#123456', material: 'maple' })).toBe('#123456')
    expect(colorOf({ material: 'Indian Rosewood' })).toBe('#4d2a22')
    expect(colorOf({ color: 'url(#x)', material: '' })).toBeNull()
  })
})

/** Surface of all polygons of a path, in square mm (shoelace formula). */
function surface(d: string): number {
  return d
    .split('Z')
    .filter((part) => part !== '')
    .map((part) => {
      const points = part
        .slice(1)
        .split('L')
        .map((pair) => pair.split(' ').map(Number) as [number, number])
      const sum = points.reduce((total, [x, y], index) => {
        const [px, py] = points.at(index - 1) ?? [x, y]
        return total + px * y - x * py
      }, 0)
      return Math.abs(sum) / 2
    })
    .reduce((total, part) => total + part, 0)
}
