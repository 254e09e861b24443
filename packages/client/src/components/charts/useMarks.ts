/**
 * The marks of a chart (bars, columns, cells, points) under mouse, finger and keyboard.
 *
 * A chart is one stop of the tab key. Inside, arrows, Home and End move from mark to mark, Enter or Space picks one.
 * `shown` is the mark that is told about in the chart's tip.
 */

import { computed, ref, toValue, type MaybeRefOrGetter } from 'vue'

export interface MarksOptions {
  /** Those that can be picked, or all where none can; they come first. */
  count: MaybeRefOrGetter<number>
  /** Marks in a row of a grid; 1: a list, in which all arrows mean next and previous. */
  rowLength?: MaybeRefOrGetter<number>
  /** What picking does, e.g. `show the jobs`; without it marks are only looked at. */
  action?: MaybeRefOrGetter<string | undefined>
  pick: (index: number) => void
}

export function useMarks(options: MarksOptions) {
  const chosen = ref(0)
  const shown = ref<number | null>(null)
  /** Data change while somebody is in the chart: then the last mark there is. */
  const active = computed(() => Math.min(chosen.value, Math.max(0, toValue(options.count) - 1)))

  function target(key: string): number | null {
    const last = toValue(options.count) - 1
    const row = toValue(options.rowLength) ?? 1
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: row,
      ArrowUp: -row,
    }
    if (key === 'Home') return 0
    if (key === 'End') return last
    const step = steps[key]
    if (step === undefined) return null
    const next = active.value + step
    return next < 0 || next > last ? active.value : next
  }

  function onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      options.pick(active.value)
      return
    }
    const next = target(event.key)
    if (next === null) return
    event.preventDefault()
    chosen.value = next
    const here = event.currentTarget as Element
    here.closest('[data-marks]')?.querySelector<HTMLElement>(`[data-mark="${next}"]`)?.focus()
  }

  /** What an element needs to be the mark of this index. */
  function mark(index: number) {
    return {
      'data-mark': index,
      tabindex: index === active.value ? 0 : -1,
      onFocus: () => {
        chosen.value = index
        shown.value = index
      },
      onBlur: () => (shown.value = null),
      onPointerenter: () => (shown.value = index),
      onPointerleave: () => (shown.value = null),
      onClick: () => options.pick(index),
      onKeydown,
    }
  }

  /** What an element needs that is only looked at. */
  function glimpse(index: number) {
    return {
      onPointerenter: () => (shown.value = index),
      onPointerleave: () => (shown.value = null),
    }
  }

  /** The same with what it says, where picking does something; else what a mark needs that is only looked at. */
  function marked(index: number, words: string) {
    const action = index < toValue(options.count) && toValue(options.action)
    return action ? { role: 'button', 'aria-label': `${words}, ${action}`, ...mark(index) } : glimpse(index)
  }

  /** What the drawing needs that the marks are in; `width` and `height` in px. */
  function frame(width: number, height: number, label: string) {
    return {
      'data-chart': '',
      'data-marks': '',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: toValue(options.action) ? 'group' : 'img',
      'aria-label': label,
    }
  }

  return { mark, marked, frame, shown, active }
}
