/** How a strip family is edited: its draft, and what the draft says. */

import type { JsonObject, StockStrip, StripFamily } from '@/api/types'
import { DraftReader } from '@/forms/draft'
import { numberText, textOrNull } from '@/forms/numbers'
import type { FormRecipe } from '@/forms/useEntityForm'

/** `rest` holds what the form does not show, so that an edit does not lose it. */
export interface StripDraft {
  length_mm: string
  position: string
  rest: StockStrip
}

export interface MaterialDraft {
  name: string
  material_type: string
  strip_width_mm: string
  strip_thickness_mm: string
  min_stock_mm: string
  lane: string
  supplier: string
  batch: string
  strips: StripDraft[]
  metadata: JsonObject
}

const metaText = (metadata: JsonObject | null | undefined, name: string) => {
  const value = metadata?.[name]
  return typeof value === 'string' ? value : ''
}

export const materialRecipe: FormRecipe<'strip-families', MaterialDraft> = {
  kind: 'strip-families',
  toDraft: (family: StripFamily | null) => ({
    name: family?.name ?? '',
    material_type: family?.material_type ?? '',
    strip_width_mm: numberText(family?.strip_width_mm),
    strip_thickness_mm: numberText(family?.strip_thickness_mm),
    min_stock_mm: numberText(family?.min_stock_mm),
    lane: family?.lane ?? '',
    supplier: metaText(family?.metadata, 'supplier'),
    batch: metaText(family?.metadata, 'batch'),
    strips: (family?.strips ?? []).map((strip) => ({
      length_mm: numberText(strip.length_mm),
      position: numberText(strip.position),
      rest: strip,
    })),
    metadata: family?.metadata ?? {},
  }),
  toFields: (draft) => {
    const read = new DraftReader()
    const fields = {
      name: read.required('/name', draft.name),
      material_type: read.required('/material_type', draft.material_type),
      strip_width_mm: read.requiredNumber('/strip_width_mm', draft.strip_width_mm),
      strip_thickness_mm: read.requiredNumber('/strip_thickness_mm', draft.strip_thickness_mm),
      min_stock_mm: read.number('/min_stock_mm', draft.min_stock_mm),
      lane: textOrNull(draft.lane),
      strips: draft.strips.map((strip, index) => ({
        ...strip.rest,
        ...given('length_mm', read.requiredNumber(`/strips/${index}/length_mm`, strip.length_mm)),
        ...given('position', read.number(`/strips/${index}/position`, strip.position)),
      })),
      metadata: metadataOf(draft),
    }
    return { fields, problems: read.problems }
  },
}

export function newStrip(existing: readonly StripDraft[]): StripDraft {
  const taken = new Set(existing.map((strip) => strip.rest.id))
  let number = existing.length + 1
  while (taken.has(`s${number}`)) number++
  return { length_mm: '', position: String(number), rest: { id: `s${number}` } }
}

function given(name: string, value: number | null): Record<string, number> {
  return value === null ? {} : { [name]: value }
}

function metadataOf(draft: MaterialDraft): JsonObject | null {
  const { supplier: oldSupplier, batch: oldBatch, ...rest } = draft.metadata
  const supplier = textOrNull(draft.supplier)
  const batch = textOrNull(draft.batch)
  const metadata = { ...rest, ...(supplier !== null && { supplier }), ...(batch !== null && { batch }) }
  return Object.keys(metadata).length > 0 ? metadata : null
}
