/** The app without a mouse, and what is remembered of it. */

import { expect, test } from './server'

test('letters lead everywhere', async ({ page }) => {
  await page.goto('/live')
  await expect(page.locator('[data-trust="live"]')).toBeVisible()
  for (const [key, title] of [
    ['h', 'History'],
    ['p', 'Patterns'],
    ['j', 'Jobs'],
    ['a', 'Analytics'],
    ['m', 'Materials'],
  ] as const) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
    await expect(page).toHaveTitle(new RegExp(title))
  }

  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox', { name: 'Search' })).toBeFocused()
  await page.keyboard.type('gj?n')
  await expect(page.getByRole('searchbox', { name: 'Search' })).toHaveValue('gj?n')

  await page.getByRole('link', { name: 'Jobs' }).focus()
  await page.keyboard.press('g')
  await page.keyboard.press('l')
  await expect(page).toHaveURL(/\/live$/)
})

test('n begins a new entry, and a form can be filled without a mouse', async ({ page, shop }) => {
  await page.goto('/materials')
  await expect(page.getByText('No materials yet')).toBeVisible()
  await page.keyboard.press('n')
  await expect(page.getByRole('heading', { name: 'New material' })).toBeVisible()
  await page.getByRole('textbox', { name: 'Name' }).focus()
  await page.keyboard.type('Holly')
  await page.keyboard.press('Tab')
  await page.keyboard.type('holly')
  await page.keyboard.press('Tab')
  await page.keyboard.type('0.5')
  await page.keyboard.press('Tab')
  await page.keyboard.type('1.6')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Holly' })).toBeVisible()
  const id = page.url().split('/').at(-1) ?? ''
  expect(await shop.get('strip-families', id)).toMatchObject({ name: 'Holly' })
})

test('shortcuts can be turned off, and stay off', async ({ page }) => {
  await page.goto('/patterns')
  await expect(page.getByText('No patterns yet')).toBeVisible()
  await page.keyboard.press('?')
  await page.getByRole('checkbox', { name: /Single-key shortcuts/ }).uncheck()
  await page.keyboard.press('Escape')
  await page.reload()
  await expect(page.getByText('No patterns yet')).toBeVisible()

  await page.keyboard.press('n')
  await page.keyboard.press('?')
  await expect(page).toHaveURL(/\/patterns$/)
  await expect(page.getByRole('dialog')).toHaveCount(0)
})

test('unsaved changes are not lost without a question', async ({ page, shop }) => {
  const job = await shop.createJob()
  await page.goto(`/jobs/${job.id}`)
  await page.getByRole('textbox', { name: 'Operator' }).fill('Ana')
  let asked = ''
  page.once('dialog', (dialog) => {
    asked = dialog.message()
    void dialog.dismiss()
  })
  await page.getByRole('link', { name: 'Patterns' }).click()
  await expect.poll(() => asked).toContain('not saved')
  await expect(page.getByRole('textbox', { name: 'Operator' })).toHaveValue('Ana')
})

test('the appearance is chosen once and kept', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto('/jobs')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light')
  await page.getByRole('radio', { name: 'Dark' }).check({ force: true })
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')

  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('the page obeys the server’s Content-Security-Policy', async ({ page, shop }) => {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  const pattern = await shop.createPattern()
  for (const path of ['/live', '/patterns', `/patterns/${pattern.id}`, '/jobs/new', '/materials/new']) {
    await page.goto(path)
    await expect(page.locator('[data-trust="live"]')).toBeVisible()
  }
  expect(complaints).toEqual([])
})
