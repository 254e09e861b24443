/** The one time that matters about a job, in words. */

import type { Job } from '@/api/types'
import { t } from '@/i18n'
import { formatAgo, formatDuration } from '@/i18n/format'

/** `now` in ms since 1970. */
export function timingOf(job: Job, now: number): string {
  if (typeof job.duration_seconds === 'number') return t.jobs.took(formatDuration(job.duration_seconds))
  if (job.start_time && job.status === 'running') {
    return t.jobs.running(formatDuration((now - Date.parse(job.start_time)) / 1000))
  }
  return formatAgo(job.start_time ?? job.created_at, now)
}
