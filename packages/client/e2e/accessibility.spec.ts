/** Every page in both themes and at both widths: nothing that axe finds, nothing wider than the screen. */

import type { Page } from '@playwright/test'
import { findings, LOOKS } from './accessibility'
import { expect, test, type Shop } from './server'

async function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
}

/** One of everything, in every status that has a look of its own. */
async function furnish(shop: Shop): Promise<{ pattern: string; job: string; material: string }> {
  const material = await shop.createMaterial({
    min_stock_mm: 900,
    strips: [{ id: 's1', length_mm: 600, position: 1 }],
  })
  const pattern = await shop.createPattern({ strip_family_id: material.id })
  for (const status of ['pending', 'held', 'interrupted', 'failed', 'completed', 'cancelled']) {
    await shop.createJob({ status, machine_id: 'cnc1', project_id: 'guitar-7', reason: 'GLUE_DRY' })
  }
  const job = await shop.createJob({ status: 'running', progress: 0.4, pattern_id: pattern.id })
  return { pattern: pattern.id, job: job.id, material: material.id }
}

for (const { theme, width } of LOOKS) {
  test.describe(`${theme}, ${width} px wide`, () => {
    test.use({ colorScheme: theme, viewport: { width, height: 780 }, reducedMotion: 'reduce' })

    test('no page has a fault', async ({ page, shop }) => {
      test.setTimeout(120_000)
      const there = await furnish(shop)
      const paths = [
        '/live',
        '/history',
        '/patterns',
        '/patterns/new',
        `/patterns/${there.pattern}`,
        '/jobs',
        '/jobs/new',
        `/jobs/${there.job}`,
        '/materials',
        '/materials/new',
        `/materials/${there.material}`,
        '/jobs?q=nothing-is-called-so',
        '/jobs?machine_id=cnc1&outcome_at_from=2026-11-01',
        '/patterns?ring_count=1',
        '/materials?strip_width_mm=0.5',
        '/settings/browser',
        '/settings/access',
        '/no/such/page',
      ]
      for (const path of paths) {
        await page.goto(path)
        await expect(page.locator('[data-trust="live"]')).toBeVisible()
        await expect(page.locator('.skeleton')).toHaveCount(0)
        expect(await findings(page), path).toEqual([])
        expect(await isTooWide(page), `${path} is wider than the screen`).toBe(false)
      }
    })

    test('no dialog has a fault', async ({ page, shop }) => {
      const there = await furnish(shop)
      await page.goto(`/jobs/${there.job}`)
      await page.getByRole('button', { name: 'Hold' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      expect(await findings(page), 'hold').toEqual([])
      await page.keyboard.press('Escape')

      await page.keyboard.press('?')
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
      expect(await findings(page), 'help').toEqual([])
      await page.keyboard.press('Escape')

      await page.goto(`/patterns/${there.pattern}`)
      await page.getByText('Ring 1', { exact: true }).click()
      expect(await findings(page), 'ring editor').toEqual([])
      await page.getByRole('button', { name: 'Start from a preset' }).click()
      await expect(page.getByRole('button', { name: 'Herringbone' })).toBeVisible()
      expect(await findings(page), 'presets').toEqual([])
    })

    test('the past has no fault while it is replayed and looked into', async ({ page, shop }) => {
      await furnish(shop)
      await page.goto('/history')
      await page.locator('[data-key]').first().click()
      await expect(page.getByRole('region', { name: 'Event', exact: true })).toBeVisible()
      expect(await findings(page), 'event').toEqual([])
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Replay', exact: true }).click()
      await expect(page.getByText(/^Nothing happens for/)).toBeVisible()
      expect(await findings(page), 'replay').toEqual([])
      expect(await isTooWide(page)).toBe(false)
    })

    test('a page that is not live has no fault', async ({ page, shop }) => {
      await furnish(shop)
      await page.goto('/jobs')
      await expect(page.locator('[data-trust="live"]')).toBeVisible()
      await expect(page.locator('[data-live="yes"]')).toBeVisible()
      await shop.stop()
      await expect(page.locator('[data-live="no"]')).toBeVisible()
      expect(await findings(page)).toEqual([])
    })
  })
}
