/**
 * LiveMonitor's single-key shortcuts.
 *
 * Rule 1: only while the keyboard is in the monitor, or nowhere (WCAG 2.1.4); never while somebody types.
 * Rule 2: a key that is taken is marked as handled, so that a page around it leaves it alone.
 */

import { onMounted, onUnmounted, type Ref } from 'vue'

/** What each key does, by `KeyboardEvent.key`. Returning false leaves the key to others. */
export type MonitorKeys = Readonly<Record<string, () => boolean | void>>

const TYPING = 'textarea, select, input:not([type="checkbox"])'

export function useMonitorKeys(
  root: Readonly<Ref<HTMLElement | null>>,
  isOn: () => boolean,
  keys: MonitorKeys,
): void {
  function onKey(event: KeyboardEvent): void {
    if (!isOn() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.target instanceof HTMLElement ? event.target : null
    const isHere = target === document.body || (root.value?.contains(target) ?? false)
    if (!isHere || target?.closest(TYPING) || document.querySelector('[role="dialog"], dialog[open]')) return
    // What a key does to the control it is pressed on comes first.
    if (
      event.key === 'Enter' &&
      target !== document.body &&
      target?.closest('button:not([data-key]), a, summary')
    )
      return
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined
    if (act !== undefined && act() !== false) event.preventDefault()
  }

  onMounted(() => document.addEventListener('keydown', onKey))
  onUnmounted(() => document.removeEventListener('keydown', onKey))
}
