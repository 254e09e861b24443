/** Nobody leaves a page with unsaved changes by accident. */

import { onMounted, onUnmounted, type Ref } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { t } from '@/i18n'

export function useLeaveGuard(isDirty: Readonly<Ref<boolean>>): void {
  // The browser's own question: it also works while the page itself is being torn down.
  onBeforeRouteLeave(() => !isDirty.value || window.confirm(t.errors.unsaved))

  function onUnload(event: BeforeUnloadEvent): void {
    if (isDirty.value) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', onUnload))
  onUnmounted(() => window.removeEventListener('beforeunload', onUnload))
}
