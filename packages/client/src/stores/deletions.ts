/**
 * Deleting with a way back: the entity leaves the screen at once, the server is asked a little later.
 *
 * Rule 1: until the server is asked, undo costs nothing and nobody else has seen anything.
 * Rule 2: closing the page does not lose a deletion that was asked for.
 */

import { defineStore } from 'pinia'
import { ref } from 'vue'
import { ApiError } from '@/api/errors'
import { messageOf } from '@/api/messages'
import { deleteEntity } from '@/api/stores'
import type { Kind } from '@/api/types'
import { t } from '@/i18n'
import { useLive } from './live'
import { useToasts } from './toasts'

/** Time to change one's mind, in milliseconds. */
export const UNDO_MS = 7000

export interface Doomed {
  kind: Kind
  id: string
  name: string
}

export const useDeletions = defineStore('deletions', () => {
  const toasts = useToasts()
  const live = useLive()
  /** Not shown any more, not asked for yet or just being asked for; by `<kind>/<id>`. */
  const hidden = ref(new Set<string>())
  /** What the server refused to delete because others refer to it. */
  const blocked = ref<Doomed | null>(null)
  const waiting = new Map<string, { doomed: Doomed; timer: ReturnType<typeof setTimeout>; toast: number }>()

  const keyOf = (doomed: Pick<Doomed, 'kind' | 'id'>) => `${doomed.kind}/${doomed.id}`
  const isHidden = (kind: Kind, id: string) => hidden.value.has(keyOf({ kind, id }))

  function ask(doomed: Doomed): void {
    const key = keyOf(doomed)
    if (hidden.value.has(key)) return
    hidden.value.add(key)
    const toast = toasts.show({
      tone: 'info',
      text: t.deletion.done(doomed.name),
      action: { label: t.actions.undo, run: () => undo(doomed) },
      duration: UNDO_MS,
    })
    const timer = setTimeout(() => void carryOut(doomed), UNDO_MS)
    waiting.set(key, { doomed, timer, toast })
  }

  function undo(doomed: Doomed): void {
    const key = keyOf(doomed)
    const entry = waiting.get(key)
    if (!entry) return
    clearTimeout(entry.timer)
    toasts.dismiss(entry.toast)
    waiting.delete(key)
    hidden.value.delete(key)
  }

  async function carryOut(
    doomed: Doomed,
    options: { force?: boolean; keepalive?: boolean } = {},
  ): Promise<void> {
    const key = keyOf(doomed)
    const entry = waiting.get(key)
    if (entry) toasts.dismiss(entry.toast)
    waiting.delete(key)
    hidden.value.add(key)
    try {
      await deleteEntity(doomed.kind, doomed.id, options)
      live.cache.applyDeletion(doomed.kind, doomed.id)
      if (options.force) toasts.show({ tone: 'ok', text: t.deletion.deleted(doomed.name) })
    } catch (error) {
      failed(doomed, error, options.force ?? false)
    } finally {
      hidden.value.delete(key)
    }
  }

  function failed(doomed: Doomed, error: unknown, forced: boolean): void {
    if (error instanceof ApiError && error.status === 404) {
      // Somebody else deleted it first: the wish is fulfilled.
      live.cache.applyDeletion(doomed.kind, doomed.id)
    } else if (error instanceof ApiError && error.status === 409 && !forced) {
      blocked.value = doomed
    } else {
      toasts.show({
        tone: 'danger',
        text: t.deletion.failed(doomed.name),
        detail: messageOf(error),
        action: { label: t.actions.retry, run: () => void carryOut(doomed, { force: forced }) },
      })
    }
  }

  /** The answer to `blocked`: unlink what refers to it, or leave everything as it is. */
  function resolve(choice: 'unlink' | 'keep'): void {
    const doomed = blocked.value
    blocked.value = null
    if (doomed && choice === 'unlink') void carryOut(doomed, { force: true })
  }

  /** Carry out now what was asked for. */
  async function flush(): Promise<void> {
    const due = [...waiting.values()]
    for (const { timer } of due) clearTimeout(timer)
    await Promise.all(due.map(({ doomed }) => carryOut(doomed, { keepalive: true })))
  }

  window.addEventListener('pagehide', () => void flush())

  return { blocked, isHidden, ask, undo, resolve, flush }
})
