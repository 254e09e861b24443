/** Short messages at the edge of the screen. */

import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Toast {
  id: number
  tone: 'info' | 'ok' | 'danger'
  text: string
  detail?: string
  action?: { label: string; run: () => void }
  /** Milliseconds on the screen; hovering and focus stop the clock. */
  duration: number
}

const READ_MS = 6000

export const useToasts = defineStore('toasts', () => {
  const toasts = ref<Toast[]>([])
  let lastId = 0

  function show(toast: Omit<Toast, 'id' | 'duration'> & { duration?: number }): number {
    const id = ++lastId
    toasts.value = [...toasts.value, { duration: READ_MS, ...toast, id }]
    return id
  }

  function dismiss(id: number): void {
    toasts.value = toasts.value.filter((toast) => toast.id !== id)
  }

  return { toasts, show, dismiss }
})
