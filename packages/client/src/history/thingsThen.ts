/** Things of the past as rows: what they are called, what is known about them, and where they are today. */

import type { Job, JobStatus, Kind, Pattern, StripFamily } from '@/api/types'
import { stockOf } from '@/components/materials/stock'
import { t as words, wordFor } from '@/i18n'
import { formatLength, formatPercent } from '@/i18n/format'
import { t } from '@/i18n/history'
import type { Shop } from './useShopThen'

export interface ThingThen {
  readonly id: string
  readonly title: string
  readonly facts: readonly string[]
  /** Of a job. */
  readonly status: JobStatus | null
  /** Its page of today. */
  readonly path: string
}

const ENDED: readonly JobStatus[] = ['completed', 'failed', 'cancelled']

/** Jobs that were under way first, then what was changed last; everything else by name. */
export function thingsOf(shop: Shop, kind: Kind): ThingThen[] {
  switch (kind) {
    case 'patterns':
      return [...shop.patterns].sort(byName).map(patternThen)
    case 'joblogs': {
      const names = new Map(shop.patterns.map(({ id, name }) => [id, name]))
      return [...shop.joblogs].sort(byUrgency).map((job) => jobThen(job, names))
    }
    case 'strip-families':
      return [...shop['strip-families']].sort(byName).map(familyThen)
  }
}

function patternThen({ id, name, pattern_type, ring_count }: Pattern): ThingThen {
  const facts = [wordFor(words.patterns.types, pattern_type), words.patterns.rings(ring_count)]
  return { id, title: name, facts, status: null, path: `/patterns/${id}` }
}

function jobThen(job: Job, names: ReadonlyMap<string, string>): ThingThen {
  const isOpen = !ENDED.includes(job.status)
  const facts = [
    job.reason && job.status !== 'running' ? wordFor(words.jobs.reasons, job.reason) : null,
    isOpen && typeof job.progress === 'number' ? t.shop.progress(formatPercent(job.progress * 100)) : null,
    job.pattern_id ? names.get(job.pattern_id) : null,
    job.machine_id,
    job.project_id,
  ].filter((fact) => typeof fact === 'string')
  const title = wordFor(words.jobs.types, job.job_type)
  return { id: job.id, title, facts, status: job.status, path: `/jobs/${job.id}` }
}

function familyThen(family: StripFamily): ThingThen {
  const { total_mm, strips, isLow } = stockOf(family)
  const facts = [family.material_type, t.shop.strips(words.materials.strips(strips), formatLength(total_mm))]
  if (isLow) facts.push(t.shop.low)
  return { id: family.id, title: family.name, facts, status: null, path: `/materials/${family.id}` }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name)
}

function byUrgency(a: Job, b: Job): number {
  return (
    Number(ENDED.includes(a.status)) - Number(ENDED.includes(b.status)) ||
    b.updated_at.localeCompare(a.updated_at)
  )
}
