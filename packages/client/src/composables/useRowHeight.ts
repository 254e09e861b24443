/** How high a row of the event list is: the narrower the list, the more lines a row has. */

import { onBeforeUnmount, onMounted, ref, shallowReadonly, type Ref } from 'vue'

/** Widths below which rows have three and two lines, as in the style of `EventRow`, and their heights. */
const LAYOUTS = [
  { belowRem: 28, rowPx: 80 },
  { belowRem: 44, rowPx: 60 },
  { belowRem: Infinity, rowPx: 40 },
]

/** Pixels, the same for all rows, so that nothing needs to be measured. `onResize` is called for every change of size. */
export function useRowHeight(
  list: Readonly<Ref<HTMLElement | null>>,
  onResize: () => void,
): Readonly<Ref<number>> {
  const rowHeight = ref(40)
  let observer: ResizeObserver | null = null

  onMounted(() => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16
    observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return
      const width = entry.contentRect.width / rem
      rowHeight.value = LAYOUTS.find(({ belowRem }) => width < belowRem)?.rowPx ?? rowHeight.value
      onResize()
    })
    if (list.value !== null) observer.observe(list.value)
  })
  onBeforeUnmount(() => observer?.disconnect())

  return shallowReadonly(rowHeight)
}
