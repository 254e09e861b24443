/** Sends what a dialog asks for, and keeps why it did not work. */

import { ref } from 'vue'
import { ApiError, type FieldProblem } from '@/api/errors'
import { messageOf } from '@/api/messages'

export function useSending() {
  const isBusy = ref(false)
  const failure = ref<string | null>(null)
  const problems = ref<readonly FieldProblem[]>([])

  function reset(): void {
    failure.value = null
    problems.value = []
  }

  /** What `send` gives; null when it failed, which `failure` or `problems` tells. */
  async function run<T>(send: () => Promise<T>): Promise<{ answer: T } | null> {
    if (isBusy.value) return null
    isBusy.value = true
    reset()
    try {
      return { answer: await send() }
    } catch (error) {
      if (error instanceof ApiError && error.fields.length > 0) problems.value = error.fields
      else failure.value = messageOf(error)
      return null
    } finally {
      isBusy.value = false
    }
  }

  /** What is wrong with the field at this JSON pointer. */
  function problemAt(pointer: string): string | undefined {
    const detail = problems.value.find((problem) => problem.pointer.startsWith(pointer))?.detail
    return detail && `${detail.charAt(0).toUpperCase()}${detail.slice(1)}`
  }

  return { isBusy, failure, run, reset, problemAt }
}
