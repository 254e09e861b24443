/** How a job is edited: its draft, and what the draft says. */

import { KNOWN_JOB_TYPES, type Job } from '@/api/types'
import { DraftReader, objectText } from '@/forms/draft'
import { numberText, textOrNull } from '@/forms/numbers'
import type { FormRecipe } from '@/forms/useEntityForm'

export interface JobDraft {
  job_type: string
  pattern_id: string
  strip_family_id: string
  machine_id: string
  project_id: string
  operator: string
  note: string
  good_qty: string
  scrap_qty: string
  rework_qty: string
  parameters: string
}

export const jobRecipe: FormRecipe<'joblogs', JobDraft> = {
  kind: 'joblogs',
  toDraft: (job: Job | null) => ({
    job_type: job?.job_type ?? KNOWN_JOB_TYPES[0],
    pattern_id: job?.pattern_id ?? '',
    strip_family_id: job?.strip_family_id ?? '',
    machine_id: job?.machine_id ?? '',
    project_id: job?.project_id ?? '',
    operator: job?.operator ?? '',
    note: job?.note ?? '',
    good_qty: numberText(job?.good_qty),
    scrap_qty: numberText(job?.scrap_qty),
    rework_qty: numberText(job?.rework_qty),
    parameters: objectText(job?.parameters),
  }),
  toFields: (draft) => {
    const read = new DraftReader()
    const fields = {
      job_type: read.required('/job_type', draft.job_type),
      pattern_id: textOrNull(draft.pattern_id),
      strip_family_id: textOrNull(draft.strip_family_id),
      machine_id: textOrNull(draft.machine_id),
      project_id: textOrNull(draft.project_id),
      operator: textOrNull(draft.operator),
      note: textOrNull(draft.note),
      good_qty: read.number('/good_qty', draft.good_qty),
      scrap_qty: read.number('/scrap_qty', draft.scrap_qty),
      rework_qty: read.number('/rework_qty', draft.rework_qty),
      parameters: read.object('/parameters', draft.parameters),
    }
    return { fields, problems: read.problems }
  },
}
