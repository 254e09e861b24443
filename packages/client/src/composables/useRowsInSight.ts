/**
 * Which rows of a long list have to exist: those in sight and some beyond, so that scrolling shows no hole.
 *
 * All rows have the same height, so nothing is measured or kept for each: a list of thousands that changes with every
 * frame costs as much as a short one.
 */

import { computed, ref, type ComputedRef, type Ref } from 'vue'

/** Rows beyond each edge of what is in sight. */
const OVERSCAN = 12

export interface RowsInSight {
  /** Index of the first row to exist. */
  readonly from: ComputedRef<number>
  /** Index after the last one. */
  readonly to: ComputedRef<number>
  /** To be called when the element is there, was scrolled or has another size. */
  readonly look: () => void
  /** Scroll no further than needed to have this row in sight. */
  readonly reveal: (index: number) => void
}

/** `rowHeight`: in pixels. `isAtEnd`: the end is in sight whatever is added, without waiting to be scrolled there. */
export function useRowsInSight(
  element: Readonly<Ref<HTMLElement | null>>,
  count: () => number,
  rowHeight: () => number,
  isAtEnd: () => boolean,
): RowsInSight {
  /** Pixels. */
  const top = ref(0)
  const height = ref(0)
  const inSight = computed(() => Math.ceil(height.value / rowHeight()) + 1)
  const first = computed(() => {
    const last = Math.max(0, count() - inSight.value)
    return isAtEnd() ? last : Math.min(last, Math.floor(top.value / rowHeight()))
  })

  function look(): void {
    top.value = element.value?.scrollTop ?? 0
    height.value = element.value?.clientHeight ?? 0
  }

  function reveal(index: number): void {
    const list = element.value
    if (list === null) return
    const start = index * rowHeight()
    const end = start + rowHeight()
    if (start < list.scrollTop) list.scrollTop = start
    else if (end > list.scrollTop + list.clientHeight) list.scrollTop = end - list.clientHeight
    // The browser tells of it a frame later, in which the row would be missing.
    list.dispatchEvent(new Event('scroll'))
  }

  return {
    from: computed(() => Math.max(0, first.value - OVERSCAN)),
    to: computed(() => Math.min(count(), first.value + inSight.value + OVERSCAN)),
    look,
    reveal,
  }
}
