/** How a pattern is edited: its draft, and what the draft says. Numbers are text while they are typed. */

import type { Geometry, Pattern, Ring, Strip } from '@/api/types'
import { DraftReader } from '@/forms/draft'
import { NOT_A_NUMBER, numberText, parseNumber, textOrNull } from '@/forms/numbers'
import type { FormRecipe } from '@/forms/useEntityForm'
import { DEFAULT_SOUNDHOLE_MM } from '@/rosette/rings'

export const RING_KINDS = ['tiles', 'purfling', 'binding', 'solid'] as const

/** Fields of a ring that are numbers, in the order of the form. */
export const RING_NUMBERS = [
  'radius_mm',
  'width_mm',
  'segments',
  'tile_length_mm',
  'herringbone_angle_deg',
  'twist_angle_deg',
  'kerf_mm',
] as const
export type RingNumber = (typeof RING_NUMBERS)[number]

export interface StripDraft {
  key: number
  width_mm: string
  material: string
  color: string
  rest: Strip
}

/** `rest` holds what the form does not show, so that an edit does not lose it. */
export interface RingDraft {
  key: number
  /** Empty when nobody said: such rings are drawn as tiles. */
  kind: string
  numbers: Record<RingNumber, string>
  strips: StripDraft[]
  rest: Ring
}

export interface PatternDraft {
  name: string
  /** Only asked for while there are no rings to count. */
  ring_count: string
  soundhole_diameter_mm: string
  strip_family_id: string
  rings: RingDraft[]
  rest: Geometry
}

export const patternRecipe: FormRecipe<'patterns', PatternDraft> = {
  kind: 'patterns',
  toDraft: (pattern: Pattern | null) => ({
    name: pattern?.name ?? '',
    ring_count: numberText(pattern?.ring_count),
    strip_family_id: pattern?.strip_family_id ?? '',
    ...geometryDraft(pattern?.geometry ?? { soundhole_diameter_mm: DEFAULT_SOUNDHOLE_MM, rings: [] }),
  }),
  toFields: (draft) => {
    const read = new DraftReader()
    const geometry = readGeometry(draft, read)
    const counted = draft.rings.length
    const fields = {
      name: read.required('/name', draft.name),
      ring_count: counted > 0 ? counted : read.requiredNumber('/ring_count', draft.ring_count),
      geometry,
      strip_family_id: textOrNull(draft.strip_family_id),
    }
    return { fields, problems: read.problems }
  },
}

export function geometryDraft(
  geometry: Geometry,
): Pick<PatternDraft, 'soundhole_diameter_mm' | 'rings' | 'rest'> {
  const { soundhole_diameter_mm, ...rest } = geometry
  return {
    soundhole_diameter_mm: numberText(soundhole_diameter_mm),
    rings: (rest.rings ?? []).map(ringDraft),
    rest,
  }
}

/** The geometry as far as it can be read while somebody types: what is no number yet is left out. */
export function previewOf(draft: PatternDraft): Geometry {
  return readGeometry(draft, new DraftReader())
}

/** A ring that continues the rosette outwards. */
export function newRing(existing: readonly RingDraft[]): RingDraft {
  const outer = existing.map(
    (ring) => (numberOf(ring.numbers.radius_mm) ?? 0) + (numberOf(ring.numbers.width_mm) ?? 0) / 2,
  )
  const from = Math.max(DEFAULT_SOUNDHOLE_MM / 2 + 2, ...outer)
  return ringDraft(
    {
      kind: 'tiles',
      radius_mm: Math.round((from + 1.25) * 100) / 100,
      width_mm: 2.5,
      segments: 90,
      strips: [],
    },
    existing.reduce((last, ring) => Math.max(last, ring.key), -1) + 1,
  )
}

export function newStrip(existing: readonly StripDraft[]): StripDraft {
  const key = existing.reduce((last, strip) => Math.max(last, strip.key), -1) + 1
  return stripDraft({ width_mm: 0.5, material: key % 2 === 0 ? 'maple' : 'ebony' }, key)
}

function ringDraft(ring: Ring, key: number): RingDraft {
  const { kind, strips, ...rest } = ring
  const numbers = Object.fromEntries(RING_NUMBERS.map((name) => [name, numberText(ring[name])]))
  return {
    key,
    kind: kind ?? '',
    numbers: numbers as Record<RingNumber, string>,
    strips: (strips ?? []).map(stripDraft),
    rest,
  }
}

function stripDraft(strip: Strip, key: number): StripDraft {
  return {
    key,
    width_mm: numberText(strip.width_mm),
    material: strip.material ?? '',
    color: strip.color ?? '',
    rest: strip,
  }
}

function readGeometry(draft: PatternDraft, read: DraftReader): Geometry {
  const soundhole = read.number('/geometry/soundhole_diameter_mm', draft.soundhole_diameter_mm)
  const rings = draft.rings.map((ring, index) => readRing(ring, `/geometry/rings/${index}`, read))
  return {
    ...draft.rest,
    ...(soundhole !== null && { soundhole_diameter_mm: soundhole }),
    ...((rings.length > 0 || draft.rest.rings) && { rings }),
  }
}

function readRing(draft: RingDraft, pointer: string, read: DraftReader): Ring {
  const ring: Ring = { ...draft.rest, ...(draft.kind !== '' && { kind: draft.kind }) }
  for (const name of RING_NUMBERS) {
    const value = read.number(`${pointer}/${name}`, draft.numbers[name])
    if (value === null) delete ring[name]
    else ring[name] = value
  }
  const strips = draft.strips.map((strip, index) => readStrip(strip, `${pointer}/strips/${index}`, read))
  return strips.length > 0 ? { ...ring, strips } : ring
}

function readStrip(draft: StripDraft, pointer: string, read: DraftReader): Strip {
  const { width_mm: oldWidth, material: oldMaterial, color: oldColor, ...rest } = draft.rest
  const width = read.number(`${pointer}/width_mm`, draft.width_mm)
  const material = textOrNull(draft.material)
  const color = textOrNull(draft.color)
  return {
    ...rest,
    ...(width !== null && { width_mm: width }),
    ...(material !== null && { material }),
    ...(color !== null && { color }),
  }
}

function numberOf(text: string): number | null {
  const value = parseNumber(text)
  return value === NOT_A_NUMBER ? null : value
}
