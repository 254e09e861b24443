/** Searching, filtering, ordering and paging of lists, and what they show when the server is away. */

import { expect, test } from './server'

test('a thousand jobs are paged, searched and filtered', async ({ page, shop }) => {
  const jobs = Array.from({ length: 1000 }, (_, number) => ({
    job_type: `cut ${String(number).padStart(4, '0')}`,
    status: number % 10 === 0 ? 'held' : 'pending',
  }))
  await shop.createMany('joblog', jobs)
  await page.goto('/jobs?sort=job_type')
  const rows = page.getByRole('article')
  await expect(rows).toHaveCount(50)
  await expect(page.getByText('1–50 of 1,000')).toBeVisible()

  await page.getByRole('button', { name: 'Next page' }).click()
  await expect(page.getByText('51–100 of 1,000')).toBeVisible()
  await expect(rows.first()).toContainText('cut 0050')

  await page.getByRole('combobox', { name: 'Status' }).selectOption('held')
  await expect(page.getByText('1–50 of 100', { exact: true })).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search' }).fill('cut 099')
  await expect(rows).toHaveCount(1)
  await expect(page).toHaveURL(/status=held/)

  await page.getByRole('button', { name: 'Reset filters' }).click()
  await expect(page.getByText('of 1,000')).toBeVisible()
})

test('what others create, change and delete appears by itself', async ({ page, shop }) => {
  await page.goto('/jobs')
  await expect(page.getByText('No jobs yet')).toBeVisible()
  await expect(page.locator('[data-trust="live"]')).toBeVisible()

  const job = await shop.createJob({ job_type: 'assembly' })
  const row = page.getByRole('article').filter({ hasText: 'Assembly' })
  await expect(row).toContainText('Pending')

  await shop.update('joblogs', job.id, { status: 'running', progress: 0.4 })
  await expect(row).toContainText('Running')
  await expect(row).toContainText('40 %')
})

test('without the server the list is greyed and dated, and comes back by itself', async ({ page, shop }) => {
  await shop.createPattern({ name: 'Rope 5' })
  await page.goto('/patterns')
  await expect(page.getByRole('link', { name: 'Rope 5' })).toBeVisible()
  await expect(page.locator('[data-trust="live"]')).toBeVisible()

  await shop.stop()
  await expect(page.locator('[data-live="no"]')).toContainText('Not live: as of')
  await expect(page.getByRole('link', { name: 'Rope 5' })).toBeVisible()

  await shop.start()
  await shop.createPattern({ name: 'Rope 6' })
  await expect(page.locator('[data-trust="live"]')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByRole('link', { name: 'Rope 6' })).toBeVisible()
  await expect(page.locator('[data-live="yes"]')).toBeVisible()
})

test('a page that cannot be read says what to do, and tries again when asked', async ({ page }) => {
  await page.goto('/materials')
  await expect(page.getByText('No materials yet')).toBeVisible()
  await expect(page.locator('[data-trust="live"]')).toBeVisible()
  // The monitor stays connected: a page that comes back to it would ask again by itself.
  await page.route('**/api/rmos/stores/**', (route) => route.abort())

  await page.getByRole('searchbox', { name: 'Search' }).fill('ebony')
  await expect(page.getByRole('alert').filter({ hasText: 'The server does not answer' })).toBeVisible({
    timeout: 20_000,
  })

  await page.unrouteAll()
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByText('Nothing matches.')).toBeVisible()
})
