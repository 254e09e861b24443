/**
 * A list that follows its end until the reader scrolls up.
 *
 * Rule 1: it follows while its end is in sight. Scrolling up stops it; reaching the end, or asking, starts it again.
 * Rule 2: while it does not follow, what the reader looks at stays where it is, also when items before it go.
 */

import { nextTick, ref, shallowReadonly, watch, type Ref } from 'vue'

/** Pixels from the end that still count as the end: less than a row. */
const NEAR_PX = 24

export interface StickyScroll {
  readonly isFollowing: Readonly<Ref<boolean>>
  /** Items that came after the reader stopped following. */
  readonly newer: Readonly<Ref<number>>
  /** To be called for every scroll event of the element. */
  readonly onScroll: () => void
  /** Go to the end and follow. */
  readonly follow: () => void
  /** Stop following, because the reader goes elsewhere. */
  readonly unfollow: () => void
}

/** `keys`: of the items, rising. `rowHeight`: in pixels, the same for all. */
export function useStickyScroll(
  element: Readonly<Ref<HTMLElement | null>>,
  keys: () => readonly { readonly key: number }[],
  rowHeight: () => number,
): StickyScroll {
  const isFollowing = ref(true)
  const newer = ref(0)
  let lastTop = 0
  /** Key of the newest item when following stopped. */
  let newestSeen = 0

  function scrollTo(list: HTMLElement, top: number): void {
    list.scrollTop = top
    if (list.scrollTop === lastTop) return
    lastTop = list.scrollTop
    // The browser tells of it a frame later. Who draws only the rows in sight would leave that frame empty.
    list.dispatchEvent(new Event('scroll'))
  }

  function toEnd(): void {
    const list = element.value
    if (list !== null) scrollTo(list, list.scrollHeight)
  }

  function follow(): void {
    isFollowing.value = true
    newer.value = 0
    toEnd()
  }

  function unfollow(): void {
    if (!isFollowing.value) return
    isFollowing.value = false
    newestSeen = keys().at(-1)?.key ?? 0
  }

  function onScroll(): void {
    const list = element.value
    if (list === null) return
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX
    // Growing at the end fires no scroll event of its own, so going up can only be the reader.
    if (isAtEnd) follow()
    else if (list.scrollTop < lastTop) unfollow()
    lastTop = list.scrollTop
  }

  watch(
    keys,
    async (now, before) => {
      const top = element.value?.scrollTop ?? 0
      const index = Math.floor(top / rowHeight())
      const anchor = before[index]
      await nextTick()
      if (isFollowing.value) {
        toEnd()
        return
      }
      newer.value = now.length - firstAfter(now, newestSeen)
      const list = element.value
      if (list === null || anchor === undefined) return
      const moved = firstAfter(now, anchor.key - 1) - index
      if (moved === 0) return
      scrollTo(list, top + moved * rowHeight())
    },
    { flush: 'pre' },
  )
  watch(rowHeight, async (now, before) => {
    const top = element.value?.scrollTop ?? 0
    await nextTick()
    if (isFollowing.value) toEnd()
    else if (element.value !== null) scrollTo(element.value, (top / before) * now)
  })

  return {
    isFollowing: shallowReadonly(isFollowing),
    newer: shallowReadonly(newer),
    onScroll,
    follow,
    unfollow,
  }
}

/** Index of the first item whose key is greater; the length when there is none. */
function firstAfter(items: readonly { readonly key: number }[], key: number): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((items[middle]?.key ?? Infinity) > key) high = middle
    else low = middle + 1
  }
  return low
}
