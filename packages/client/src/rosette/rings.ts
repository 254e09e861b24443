/** What the numbers of a ring say, where they are there. Lengths in mm, angles in degrees. */

import type { Geometry, Ring } from '@/api/types'

export const DEFAULT_SOUNDHOLE_MM = 100

/** Usual values; outside of them a ring is possible but rare. */
export const USUAL = {
  radius_mm: [38, 89],
  width_mm: [1.5, 4.5],
  tiles: [2, 300],
  kerf_mm: [0.1, 2],
  herringbone_angle_deg: [0, 45],
  twist_angle_deg: [-180, 180],
  soundhole_diameter_mm: [50, 150],
} as const satisfies Record<string, readonly [number, number]>

/** Width of a strip below which it cannot be cut, in mm. */
export const LEAST_STRIP_MM = 0.4

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null
}

/** Centre line; rings written by older programs call it `radius`. */
export function radiusOf(ring: Ring): number | null {
  return positive(ring.radius_mm) ?? positive((ring as { radius?: unknown }).radius)
}

export function widthOf(ring: Ring): number | null {
  return positive(ring.width_mm)
}

/** Number of tiles round the ring: given, or as many of the tile length as fit. */
export function tilesOf(ring: Ring): number | null {
  const given = positive(ring.segments) ?? positive(ring.segment_count) ?? positive(ring.tile_count)
  if (given !== null) return Math.floor(given)
  const radius = radiusOf(ring)
  const length = positive(ring.tile_length_mm)
  if (radius === null || length === null) return null
  const fitting = Math.floor((2 * Math.PI * radius) / length)
  return fitting >= 1 ? fitting : null
}

/** Length of one tile along the centre line once the tiles are spread evenly. */
export function effectiveTileLength(ring: Ring): number | null {
  const radius = radiusOf(ring)
  const tiles = tilesOf(ring)
  return radius === null || tiles === null ? null : (2 * Math.PI * radius) / tiles
}

/** Where the ring begins and ends; null without radius or width. */
export function spanOf(ring: Ring): { inner: number; outer: number } | null {
  const radius = radiusOf(ring)
  const width = widthOf(ring)
  return radius === null || width === null ? null : { inner: radius - width / 2, outer: radius + width / 2 }
}

/** One remark on the numbers. An impossible ring would be refused, an unusual one is stored. */
export interface Remark {
  ring: number
  severity: 'impossible' | 'unusual'
  about:
    'overlap' | 'inside_out' | 'strips_too_wide' | 'strip_too_thin' | 'tile_too_long' | keyof typeof USUAL
  /** The value that gave rise to it. */
  value: number
}

export function remarksOn(geometry: Geometry): Remark[] {
  const rings = geometry.rings ?? []
  const remarks = rings.flatMap((ring, index) => remarksOnRing(ring, index))
  const spans = rings
    .map((ring, index) => ({ index, span: spanOf(ring) }))
    .filter((entry) => entry.span !== null)
    .sort((a, b) => (a.span?.inner ?? 0) - (b.span?.inner ?? 0))
  for (const [position, entry] of spans.entries()) {
    const before = spans[position - 1]
    const gap = (entry.span?.inner ?? 0) - (before?.span?.outer ?? Number.NEGATIVE_INFINITY)
    // Sums of decimal widths are off by a rounding error when rings touch.
    if (gap < -1e-9)
      remarks.push({ ring: entry.index, severity: 'impossible', about: 'overlap', value: -gap })
  }
  return remarks
}

function remarksOnRing(ring: Ring, index: number): Remark[] {
  const remarks: Remark[] = []
  const add = (severity: Remark['severity'], about: Remark['about'], value: number) =>
    remarks.push({ ring: index, severity, about, value })
  const radius = radiusOf(ring)
  const width = widthOf(ring)
  const span = spanOf(ring)
  if (span && span.inner <= 0) add('impossible', 'inside_out', span.inner)
  const stripsWidth = (ring.strips ?? []).reduce((sum, strip) => sum + (strip.width_mm ?? 0), 0)
  if (width !== null && stripsWidth > width + 1e-9) add('impossible', 'strips_too_wide', stripsWidth)
  const thinnest = Math.min(...(ring.strips ?? []).map((strip) => strip.width_mm ?? Number.POSITIVE_INFINITY))
  if (thinnest < LEAST_STRIP_MM) add('unusual', 'strip_too_thin', thinnest)
  const length = positive(ring.tile_length_mm)
  if (radius !== null && length !== null && length > 2 * Math.PI * radius) {
    add('impossible', 'tile_too_long', length)
  }
  const usual = (about: keyof typeof USUAL, value: number | null | undefined) => {
    const [least, most] = USUAL[about]
    if (typeof value === 'number' && (value < least || value > most)) add('unusual', about, value)
  }
  usual('radius_mm', radius)
  usual('width_mm', width)
  usual('tiles', tilesOf(ring))
  usual('kerf_mm', ring.kerf_mm)
  usual('herringbone_angle_deg', ring.herringbone_angle_deg)
  usual('twist_angle_deg', ring.twist_angle_deg)
  return remarks
}
