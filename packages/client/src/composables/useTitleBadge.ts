/** `(3) Live Monitor` in the tab's title: how much came while nobody looked. */

import { onScopeDispose, watch, type Ref } from 'vue'

const BADGE = /^\(\d+\+?\) /
/** More than that says no more. */
const MOST = 999

/** `total`: a count that only rises. */
export function useTitleBadge(total: Readonly<Ref<number>>): void {
  let seen = total.value

  function show(): void {
    if (!document.hidden) seen = total.value
    const unread = total.value - seen
    const title = document.title.replace(BADGE, '')
    document.title = unread === 0 ? title : `(${unread > MOST ? `${MOST}+` : unread}) ${title}`
  }

  watch(total, show)
  document.addEventListener('visibilitychange', show)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', show)
    document.title = document.title.replace(BADGE, '')
  })
}
