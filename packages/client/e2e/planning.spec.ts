/** What is to come: when a running job will be done, and what it takes to make a rosette. */

import { findings, LOOKS } from './accessibility'
import { expect, test, type Shop } from './server'

const MINUTE_MS = 60_000
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS).toISOString()

/** Twelve jobs of 30 to 52 minutes, long past. */
async function furnishPast(shop: Shop): Promise<void> {
  const jobs = Array.from({ length: 12 }, (_, n) => ({
    job_type: 'slice',
    status: 'completed',
    start_time: ago(600 + n * 60),
    end_time: ago(570 + n * 60 - n * 2),
  }))
  await shop.createMany('joblog', jobs)
}

/** A pattern of two woods; of the second there is little. */
async function furnishPattern(shop: Shop): Promise<{ pattern: string; scarce: string }> {
  const plenty = await shop.createMaterial({ name: 'Maple 0.5', strips: strips(10) })
  const scarce = await shop.createMaterial({ name: 'Ebony 0.8', material_type: 'ebony', strips: strips(1) })
  const rings = [
    { kind: 'tiles', radius_mm: 53, width_mm: 2, segments: 90 },
    { kind: 'tiles', radius_mm: 56, width_mm: 2, segments: 60, strip_family_id: scarce.id },
    {
      kind: 'tiles',
      radius_mm: 60,
      width_mm: 2,
      segments: 100,
      strips: [{ width_mm: 0.3, material: 'ebony' }],
    },
  ]
  const pattern = await shop.createPattern({ geometry: { rings }, strip_family_id: plenty.id })
  return { pattern: pattern.id, scarce: scarce.id }
}

const strips = (n: number) =>
  Array.from({ length: n }, (_, index) => ({ id: `s${index}`, length_mm: 600, position: index }))

test('a running job tells when it will be done, and follows its progress', async ({ page, shop }) => {
  await furnishPast(shop)
  const job = await shop.createJob({ status: 'running', start_time: ago(10) })
  await page.goto(`/jobs/${job.id}`)
  const eta = page.getByRole('region', { name: 'When it will be done' })

  await expect(eta).toContainText(/in\s(29|30|31|32)\smin/)
  await expect(eta).toContainText(/between .* and /)
  await expect(eta).toContainText('12 jobs of this kind')

  await shop.update('joblogs', job.id, { progress: 0.9 })
  await expect(eta).toContainText('12 jobs of this kind, and its progress')
  await expect(eta).toContainText(/in\s[2-6]\smin/)

  await shop.update('joblogs', job.id, { status: 'completed' })
  await expect(eta).toBeHidden()
})

test('a job says plainly that too few are like it, or that it runs long', async ({ page, shop }) => {
  await furnishPast(shop)
  const rare = await shop.createJob({ job_type: 'assembly', status: 'running', start_time: ago(5) })
  const late = await shop.createJob({ status: 'running', start_time: ago(90) })
  const eta = page.getByRole('region', { name: 'When it will be done' })

  await page.goto(`/jobs/${rare.id}`)
  await expect(eta).toContainText('Too few like it yet to say (n = 0)')
  await page.goto(`/jobs/${late.id}`)
  await expect(eta).toContainText('Running long: nine in ten like it were done')

  await page.goto('/jobs')
  await expect(page.locator('[data-eta]')).toHaveText(['running long'])
})

test('a pattern tells what so many rosettes take, and follows the stock', async ({ page, shop }) => {
  const { pattern, scarce } = await furnishPattern(shop)
  await page.goto(`/patterns/${pattern}`)
  const plan = page.getByRole('region', { name: 'What it takes' })
  const ebony = plan.getByRole('listitem').filter({ hasText: 'Ebony 0.8' })

  await expect(ebony).toContainText('387.45 mm')
  await expect(ebony).toContainText('enough for 1 rosette')
  await expect(plan).toContainText('Ring 3 (high): a very thin strip.')

  await plan.getByRole('textbox', { name: 'Rosettes' }).fill('4')
  await expect(plan).toContainText('1,000, 250 each')
  await expect(ebony).toContainText('949.81 mm missing')

  await shop.update('strip-families', scarce, { strips: strips(3) })
  await expect(ebony).toContainText('enough for 4 rosettes')
  await expect(ebony).not.toContainText('missing')

  await plan.getByRole('textbox', { name: 'Rosettes' }).fill('0')
  await expect(plan).toContainText('A whole number from 1 to 10,000.')
  await expect(ebony).toContainText('enough for 4 rosettes')
})

test('a pattern without rings has no plan, and one that cannot be read is tried again', async ({
  page,
  shop,
}) => {
  const bare = await shop.createPattern({ geometry: {}, ring_count: 3 })
  const plan = page.getByRole('region', { name: 'What it takes' })
  await page.goto(`/patterns/${bare.id}`)
  await expect(plan).toContainText('The saved pattern has no rings yet.')

  const { pattern } = await furnishPattern(shop)
  await page.route('**/plan?*', (route) =>
    route.fulfill({ status: 400, body: '{}', contentType: 'application/json' }),
  )
  await page.goto(`/patterns/${pattern}`)
  await expect(plan.getByRole('alert')).toBeVisible({ timeout: 20_000 })
  await page.unrouteAll()
  await plan.getByRole('button', { name: 'Try again' }).click()
  await expect(plan).toContainText('Ebony 0.8')
})

for (const { theme, width } of LOOKS) {
  test.describe(`${theme}, ${width} px wide`, () => {
    test.use({ colorScheme: theme, viewport: { width, height: 780 }, reducedMotion: 'reduce' })

    test('neither has a fault', async ({ page, shop }) => {
      await furnishPast(shop)
      const { pattern } = await furnishPattern(shop)
      const late = await shop.createJob({ status: 'running', start_time: ago(90) })
      for (const [path, words] of [
        [`/jobs/${late.id}`, 'Running long'],
        [`/patterns/${pattern}`, 'Fragile rings'],
      ] as const) {
        await page.goto(path)
        await expect(page.getByText(words).first()).toBeVisible()
        expect(await findings(page), path).toEqual([])
        const isTooWide = await page.evaluate(
          () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
        )
        expect(isTooWide, `${path} is wider than the screen`).toBe(false)
      }
    })
  })
}
