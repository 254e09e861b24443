/** What a person chose for this browser. Kept in local storage where there is one, and never sent anywhere. */

import { defineStore } from 'pinia'
import { ref, watch, type Ref } from 'vue'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const DARK = '(prefers-color-scheme: dark)'

export const usePreferences = defineStore('preferences', () => {
  const theme = kept<Theme>('rmos.theme', 'system', THEMES)
  const shortcuts = kept('rmos.shortcuts', 'on', ['on', 'off'] as const)

  // `public/theme.js` does the same before the first paint; this keeps it true while the app runs.
  const dark = window.matchMedia(DARK)
  const apply = () => {
    const shown = theme.value === 'system' ? (dark.matches ? 'dark' : 'light') : theme.value
    document.documentElement.dataset.theme = shown
  }
  dark.addEventListener('change', apply)
  watch(theme, apply, { immediate: true })

  return { theme, shortcuts }
})

/** A value that survives a reload. Private windows may refuse storage: then it lasts as long as the page. */
function kept<T extends string>(name: string, fallback: T, allowed: readonly T[]): Ref<T> {
  const value = ref(fallback) as Ref<T>
  try {
    const stored = localStorage.getItem(name)
    value.value = allowed.find((option) => option === stored) ?? fallback
  } catch {
    // Storage is off: the default stands.
  }
  watch(value, (chosen) => {
    try {
      localStorage.setItem(name, chosen)
    } catch {
      // Storage is off or full: the choice holds until the page is closed.
    }
  })
  return value
}
