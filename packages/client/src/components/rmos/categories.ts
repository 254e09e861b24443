/** How a category is drawn, beside its colour: nobody has to tell colours apart. */

import type { Category } from '@rmos/monitor-core'
import type { IconName } from '@/components/ui/UiIcon.vue'

export const ICONS: Record<Category, IconName> = {
  job: 'job',
  pattern: 'pattern',
  material: 'material',
  metrics: 'live',
}
