/**
 * Carries out what a person does with a job.
 *
 * No If-Match here: a machine reports progress all the time, and "hold" means hold, whatever the last report was. What
 * no longer fits the job's state is refused by the server.
 */

import { ref } from 'vue'
import { ApiError } from '@/api/errors'
import { messageOf } from '@/api/messages'
import { updateEntity } from '@/api/stores'
import type { Job } from '@/api/types'
import { t } from '@/i18n'
import { useLive } from '@/stores/live'
import { useToasts } from '@/stores/toasts'
import { fieldsFor, type JobAction } from './transitions'

export function useJobActions() {
  const live = useLive()
  const toasts = useToasts()
  const isBusy = ref(false)

  function act(job: Job, action: JobAction, more: Record<string, unknown> = {}): Promise<boolean> {
    return send(job, { ...fieldsFor(action), ...more })
  }

  /** `share` 0 to 1. */
  function report(job: Job, share: number): Promise<boolean> {
    return send(job, { progress: share })
  }

  async function send(job: Job, fields: Record<string, unknown>): Promise<boolean> {
    isBusy.value = true
    try {
      live.cache.applyAnswer('joblogs', await updateEntity('joblogs', job.id, fields))
      return true
    } catch (error) {
      const outdated = error instanceof ApiError && error.status === 409
      toasts.show({
        tone: 'danger',
        text: t.errors.title,
        detail: outdated ? `${messageOf(error)} ${t.errors.changedFirst}` : messageOf(error),
        action: { label: t.actions.retry, run: () => void send(job, fields) },
      })
      return false
    } finally {
      isBusy.value = false
    }
  }

  return { isBusy, act, report }
}
