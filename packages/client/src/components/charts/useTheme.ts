/** The theme in force, for what is drawn on a canvas and so must be drawn again. */

import { onBeforeUnmount, ref, type Ref } from 'vue'

export function useTheme(): Readonly<Ref<string>> {
  const root = document.documentElement
  const theme = ref(root.dataset.theme ?? '')
  const observer = new MutationObserver(() => (theme.value = root.dataset.theme ?? ''))
  observer.observe(root, { attributes: true, attributeFilter: ['data-theme'] })
  onBeforeUnmount(() => observer.disconnect())
  return theme
}
