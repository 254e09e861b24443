/** What a person can do with a job in one press, by its status. */

import type { JobStatus } from '@/api/types'
import type { IconName } from '@/components/ui/UiIcon.vue'
import { t } from '@/i18n'

export type JobAction = 'start' | 'resume' | 'hold' | 'complete' | 'fail' | 'reopen'

export const ACTION_LOOK: Record<JobAction, { label: string; icon: IconName }> = {
  start: { label: t.jobs.start, icon: 'play' },
  resume: { label: t.jobs.resume, icon: 'play' },
  hold: { label: t.jobs.hold, icon: 'pause' },
  complete: { label: t.jobs.complete, icon: 'check' },
  fail: { label: t.jobs.fail, icon: 'alert' },
  reopen: { label: t.jobs.reopen, icon: 'reopen' },
}

/** The likeliest first. */
export function actionsFor(status: JobStatus): readonly JobAction[] {
  switch (status) {
    case 'planned':
    case 'pending':
    case 'ready':
      return ['start', 'hold']
    case 'running':
      return ['complete', 'hold', 'fail']
    case 'held':
    case 'suspended':
    case 'interrupted':
      return ['resume', 'complete', 'fail']
    case 'completed':
    case 'failed':
    case 'cancelled':
      return ['reopen']
  }
}

/** What a job's action sends to the stores. */
export function fieldsFor(action: JobAction): Record<string, unknown> {
  switch (action) {
    case 'start':
    case 'resume':
      // The reason belonged to the hold that ends here.
      return { status: 'running', reason: null }
    case 'hold':
      return { status: 'held' }
    case 'complete':
      return { status: 'completed', progress: 1, reason: null }
    case 'fail':
      return { status: 'failed' }
    case 'reopen':
      return { status: 'ready', reopen: true, reason: null }
  }
}
