/** Going to a page while the network is cut: it is there already, or the app says that it is not and opens it later. */

import { expect, test } from './server'

test('a page that was not visited yet opens while the network is cut', async ({ page, context }) => {
  const fetched = page.waitForResponse(/PredictorView.*\.js/)
  await page.goto('/live')
  await fetched
  await page.waitForLoadState('networkidle')

  await context.setOffline(true)
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()

  await expect(page).toHaveURL(/\/jobs$/)
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible()
})

test('a page that cannot be fetched says so, keeps the one before, and opens by itself', async ({
  page,
  shop,
}) => {
  await page.route(/JobsView.*\.js/, (route) => route.abort())
  await page.goto('/live')
  const search = page.getByRole('searchbox', { name: 'Search events' })
  await search.fill('half a thought')
  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  const lost = page.getByRole('alert').filter({ hasText: '“Jobs” could not be opened' })
  await expect(lost).toBeVisible()

  await lost.getByRole('button', { name: 'Stay on this page' }).click()
  await expect(search).toHaveValue('half a thought')

  await page.getByRole('link', { name: 'Jobs', exact: true }).click()
  await expect(lost).toBeVisible()
  await shop.stop()
  await expect(lost).toContainText('The page opens as soon as it does')
  await page.unroute(/JobsView.*\.js/)
  await shop.start()
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible({ timeout: 30_000 })
})

test('the first page of all says when it cannot be fetched', async ({ page }) => {
  await page.route(/JobsView.*\.js/, (route) => route.abort())
  // The page is missing before the monitor is there.
  await page.routeWebSocket('/ws/monitor', async (socket) => {
    await new Promise((later) => setTimeout(later, 500))
    socket.connectToServer()
  })
  let loads = 0
  page.on('load', () => loads++)
  await page.goto('/jobs')
  const lost = page.getByRole('alert').filter({ hasText: '“Jobs” could not be opened' })
  await expect(lost).toBeVisible()
  await expect(lost.getByRole('button', { name: 'Stay on this page' })).toBeHidden()
  await expect(page.locator('[data-trust="live"]')).toBeVisible()
  await page.waitForTimeout(1_000)
  expect(loads, 'opened by itself, over and over').toBe(1)

  await page.unroute(/JobsView.*\.js/)
  await lost.getByRole('button', { name: 'Try again' }).click()

  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible()
})
