import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'
import { useTitleBadge } from './useTitleBadge'

let scope: EffectScope
let isHidden = false

beforeEach(() => {
  document.title = 'Live Monitor'
  isHidden = false
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => isHidden)
  scope = effectScope()
})

afterEach(() => {
  scope.stop()
  vi.restoreAllMocks()
})

function look(hidden: boolean): void {
  isHidden = hidden
  document.dispatchEvent(new Event('visibilitychange'))
}

it('counts in the title what comes while the tab is hidden, until it is looked at', async () => {
  const total = ref(5)
  scope.run(() => useTitleBadge(total))
  look(true)

  total.value = 8
  await nextTick()
  const hidden = document.title
  look(false)

  expect(hidden).toBe('(3) Live Monitor')
  expect(document.title).toBe('Live Monitor')
})

it('leaves the title alone while somebody looks, and when it goes', async () => {
  const total = ref(0)
  scope.run(() => useTitleBadge(total))

  total.value = 3
  await nextTick()
  const seen = document.title
  look(true)
  total.value = 5000
  await nextTick()
  const many = document.title
  scope.stop()

  expect([seen, many, document.title]).toEqual(['Live Monitor', '(999+) Live Monitor', 'Live Monitor'])
})
