/**
 * The app's single-key shortcuts.
 *
 * Rule 1: never while somebody types, holds a modifier, answers a dialog, or when a component took the key itself.
 * Rule 2: they can be turned off (WCAG 2.1.4).
 */

import { onMounted, onUnmounted, ref } from 'vue'
import { useRouter } from 'vue-router'
import { usePreferences } from '@/stores/preferences'

/** Time between `g` and the letter that says where to, in milliseconds. */
const CHORD_MS = 1500

const PLACES: Readonly<Record<string, string>> = {
  l: '/live',
  h: '/history',
  p: '/patterns',
  j: '/jobs',
  m: '/materials',
  a: '/analytics',
  s: '/settings',
}

export function useShortcuts() {
  const router = useRouter()
  const preferences = usePreferences()
  const isHelpOpen = ref(false)
  let chordUntil = 0

  /** Before any component hears of it: the letter after `g` may mean something else on the page. */
  function onChord(event: KeyboardEvent): void {
    if (preferences.shortcuts === 'off' || isTaken(event)) return
    const place = event.timeStamp <= chordUntil ? PLACES[event.key] : undefined
    chordUntil = event.key === 'g' ? event.timeStamp + CHORD_MS : 0
    if (!place) return
    event.preventDefault()
    event.stopImmediatePropagation()
    void router.push(place)
  }

  /** After every component: what one of them took is not ours. */
  function onKey(event: KeyboardEvent): void {
    if (preferences.shortcuts === 'off' || isTaken(event)) return
    if (event.key === '?') {
      event.preventDefault()
      isHelpOpen.value = true
    } else if (event.key === '/') {
      press(event, '[data-shortcut="search"]')
    } else if (event.key === 'n') {
      press(event, '[data-shortcut="new"]')
    }
  }

  onMounted(() => {
    window.addEventListener('keydown', onChord, { capture: true })
    window.addEventListener('keydown', onKey)
  })
  onUnmounted(() => {
    window.removeEventListener('keydown', onChord, { capture: true })
    window.removeEventListener('keydown', onKey)
  })
  return { isHelpOpen }
}

/** A page offers a shortcut by marking the element that does the same by hand. */
function press(event: KeyboardEvent, selector: string): void {
  const element = document.querySelector<HTMLElement>(selector)
  if (!element) return
  event.preventDefault()
  if (element instanceof HTMLInputElement) {
    element.focus()
    element.select()
  } else {
    element.click()
  }
}

function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true
  const target = event.target instanceof HTMLElement ? event.target : null
  if (target?.closest('input:not([type="radio"], [type="checkbox"], [type="range"]), textarea, select'))
    return true
  if (target?.isContentEditable) return true
  return document.querySelector('[role="dialog"], dialog[open]') !== null
}
