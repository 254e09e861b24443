/** What can be chosen as a filter: whatever the jobs of the past year name. */

import { computed } from 'vue'
import type { JobTypes, ShopAnswer } from '@/api/analytics'
import { t as words, wordFor } from '@/i18n'
import { useNames } from '@/lists/useNames'
import { useFigures } from './useFigures'
import type { Filter } from './useView'

export interface Choice {
  value: string
  label: string
}

export function useChoices() {
  const machines = useFigures<ShopAnswer>('shop', { by: 'machine', days: 365 })
  const projects = useFigures<ShopAnswer>('shop', { by: 'project', days: 365 })
  const types = useFigures<JobTypes>('jobs/types')
  const patterns = useNames('patterns')

  const choices = computed<Record<Filter, Choice[]>>(() => ({
    machine_id: (machines.data.value?.groups ?? []).flatMap(({ machine }) =>
      machine ? [{ value: machine, label: machine }] : [],
    ),
    project_id: (projects.data.value?.groups ?? []).flatMap(({ project }) =>
      project ? [{ value: project, label: project }] : [],
    ),
    job_type: (types.data.value?.job_types ?? []).map(({ job_type }) => ({
      value: job_type,
      label: wordFor(words.jobs.types, job_type),
    })),
    pattern_id: [...patterns.names.value].map(([value, label]) => ({ value, label })),
  }))
  return { choices, nameOf: patterns.nameOf }
}
