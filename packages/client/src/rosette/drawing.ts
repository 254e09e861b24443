/**
 * A rosette to scale, as SVG paths in mm around the centre of the soundhole.
 *
 * Only what the numbers allow is drawn: without a width a ring is a line, without strips a tile is an outline.
 * All tiles of a ring that share a colour are one path, so that a rosette of 120 tiles a ring stays light.
 */

import type { Geometry, Ring, Strip } from '@/api/types'
import { colorOf } from './colors'
import { DEFAULT_SOUNDHOLE_MM, radiusOf, spanOf, tilesOf } from './rings'

/** A filled area; `color` null means that nothing tells the colour. */
export interface Area {
  d: string
  color: string | null
}

export interface RingDrawing {
  index: number
  /** Centre line, for a ring without a width; null when there is no radius either. */
  radius: number | null
  span: { inner: number; outer: number } | null
  areas: Area[]
  /** Edges between tiles; empty when there are none. */
  edges: string
}

export interface RosetteDrawing {
  soundholeRadius: number
  /** Half the side of a square that holds everything, with a margin. */
  extent: number
  /** From the soundhole's edge to beyond the last ring. */
  band: { inner: number; outer: number }
  rings: RingDrawing[]
}

type Point = readonly [u: number, v: number]
interface Band {
  from: number
  to: number
  color: string | null
}

/** More tiles than this are no longer told apart on any screen. */
const MOST_TILES = 720
/** Longest arc drawn as one straight line, in radians. */
const ARC_STEP = 0.07
const MARGIN_MM = 3

export function drawRosette(geometry: Geometry): RosetteDrawing {
  const rings = (geometry.rings ?? []).map(drawRing)
  const placed = rings.filter((ring) => ring.radius !== null)
  const innermost = Math.min(...placed.map((ring) => ring.span?.inner ?? ring.radius ?? 0))
  const outermost = Math.max(0, ...placed.map((ring) => ring.span?.outer ?? ring.radius ?? 0))
  // A soundhole that nobody gave must not swallow a ring that somebody did.
  const usual = Math.min(DEFAULT_SOUNDHOLE_MM / 2, innermost)
  const soundholeRadius = geometry.soundhole_diameter_mm ? geometry.soundhole_diameter_mm / 2 : usual
  const extent = Math.max(soundholeRadius, outermost) + MARGIN_MM
  return {
    soundholeRadius,
    extent,
    band: { inner: Math.min(soundholeRadius, innermost), outer: extent },
    rings,
  }
}

function drawRing(ring: Ring, index: number): RingDrawing {
  const radius = radiusOf(ring)
  const span = spanOf(ring)
  const drawing: RingDrawing = { index, radius, span, areas: [], edges: '' }
  if (radius === null || span === null || span.inner <= 0) return drawing

  const tiles = tilesOf(ring)
  const tiled = tiles !== null && tiles <= MOST_TILES && (ring.kind ?? 'tiles') === 'tiles'
  const bands = bandsOf(ring.strips ?? [])
  if (tiled) drawing.edges = edgesOf(tiles, span)
  if (bands.length === 0) {
    drawing.areas.push({ d: annulus(span.inner, span.outer), color: null })
  } else if (tiled) {
    drawing.areas = mosaic(ring, radius, span.outer - span.inner, tiles, bands)
  } else {
    drawing.areas = bands
      .filter((band) => radius + band.from > 0)
      .map((band) => ({ d: annulus(radius + band.from, radius + band.to), color: band.color }))
  }
  return drawing
}

/** The strips side by side, inside to outside, centred on the middle of the ring. */
function bandsOf(strips: readonly Strip[]): Band[] {
  const measured = strips.filter((strip) => (strip.width_mm ?? 0) > 0)
  const total = measured.reduce((sum, strip) => sum + (strip.width_mm ?? 0), 0)
  let from = -total / 2
  return measured.map((strip) => {
    const band = { from, to: from + (strip.width_mm ?? 0), color: colorOf(strip) }
    from = band.to
    return band
  })
}

/**
 * Tiles cut from the stack: each shows the strips at the angle of the ring's twist, tilted to and fro by the
 * herringbone angle.
 */
function mosaic(ring: Ring, radius: number, width: number, tiles: number, bands: readonly Band[]): Area[] {
  const length = (2 * Math.PI * radius) / tiles
  const byColor = new Map<string | null, string[]>()
  for (let tile = 0; tile < tiles; tile++) {
    const sign = tile % 2 === 0 ? 1 : -1
    const degrees = (ring.twist_angle_deg ?? 0) + sign * (ring.herringbone_angle_deg ?? 0)
    const start = (2 * Math.PI * tile) / tiles
    for (const piece of cutTile(length, width, degrees, bands)) {
      const d = bend(piece.polygon, radius, start)
      const paths = byColor.get(piece.color)
      if (paths) paths.push(d)
      else byColor.set(piece.color, [d])
    }
  }
  return Array.from(byColor, ([color, paths]) => ({ d: paths.join(''), color }))
}

/** The pieces of one flat tile, `u` along the ring from its edge and `v` across it from its middle. */
function cutTile(
  length: number,
  width: number,
  degrees: number,
  bands: readonly Band[],
): { polygon: Point[]; color: string | null }[] {
  const angle = (degrees * Math.PI) / 180
  const normal: Point = [-Math.sin(angle), Math.cos(angle)]
  const tile: Point[] = [
    [0, -width / 2],
    [length, -width / 2],
    [length, width / 2],
    [0, width / 2],
  ]
  const depth = ([u, v]: Point) => (u - length / 2) * normal[0] + v * normal[1]
  const reach = Math.max(...tile.map((corner) => Math.abs(depth(corner))))
  const stack = (bands.at(-1)?.to ?? 0) - (bands[0]?.from ?? 0)
  // A tilted tile reaches beyond one stack: the log it is cut from goes on.
  const repeats = Math.abs(degrees) < 0.01 ? 0 : Math.min(50, Math.ceil(reach / stack))
  const pieces: { polygon: Point[]; color: string | null }[] = []
  for (let repeat = -repeats; repeat <= repeats; repeat++) {
    for (const band of bands) {
      const from = band.from + repeat * stack
      const to = band.to + repeat * stack
      if (from > reach || to < -reach) continue
      const above = clip(tile, (point) => depth(point) - from)
      const polygon = clip(above, (point) => to - depth(point))
      if (polygon.length >= 3) pieces.push({ polygon, color: band.color })
    }
  }
  return pieces
}

/** The part of a convex polygon where `inside` is positive (Sutherland and Hodgman). */
function clip(polygon: readonly Point[], inside: (point: Point) => number): Point[] {
  const kept: Point[] = []
  for (const [index, point] of polygon.entries()) {
    const previous = polygon.at(index - 1) ?? point
    const [a, b] = [inside(previous), inside(point)]
    if (a >= 0 !== b >= 0) kept.push(between(previous, point, a / (a - b)))
    if (b >= 0) kept.push(point)
  }
  return kept
}

/** Lay a flat polygon round the ring. */
function bend(polygon: readonly Point[], radius: number, start: number): string {
  const points = polygon.flatMap((point, index) => {
    const previous = polygon.at(index - 1) ?? point
    const steps = Math.max(1, Math.ceil(Math.abs(point[0] - previous[0]) / radius / ARC_STEP))
    return Array.from({ length: steps }, (_, step) => {
      const [u, v] = between(previous, point, (step + 1) / steps)
      return polar(radius + v, start + u / radius)
    })
  })
  return `M${points.join('L')}Z`
}

function edgesOf(tiles: number, span: { inner: number; outer: number }): string {
  return Array.from({ length: tiles }, (_, tile) => {
    const angle = (2 * Math.PI * tile) / tiles
    return `M${polar(span.inner, angle)}L${polar(span.outer, angle)}`
  }).join('')
}

function annulus(inner: number, outer: number): string {
  return circle(outer, 1) + circle(inner, 0)
}

function circle(radius: number, sweep: 0 | 1): string {
  const r = round(radius)
  return `M${-r} 0A${r} ${r} 0 0 ${sweep} ${r} 0A${r} ${r} 0 0 ${sweep} ${-r} 0Z`
}

function between([u1, v1]: Point, [u2, v2]: Point, share: number): Point {
  return [u1 + (u2 - u1) * share, v1 + (v2 - v1) * share]
}

/** Angle 0 is up, and angles grow clockwise, as on a clock. */
function polar(radius: number, angle: number): string {
  return `${round(radius * Math.sin(angle))} ${round(-radius * Math.cos(angle))}`
}

/** Hundredths of a millimetre are finer than any saw. */
function round(value: number): number {
  return Math.round(value * 100) / 100
}
