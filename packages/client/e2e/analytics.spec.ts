/** The figures on the screen, of a small shop with a past: what they show, where they lead, and what they do when little is known. */

import type { Page } from '@playwright/test'
import { readFile } from 'node:fs/promises'
import { findings, LOOKS } from './accessibility'
import { expect, test } from './server'
import { furnishSmallShop } from './smallShop'

const PAGES = [
  'overview',
  'quality',
  'control',
  'patterns',
  'materials',
  'machines',
  'relations',
  'predictor',
]

// Each page asks for many figures and draws them: that is more work than the other pages are.
test.describe.configure({ timeout: 120_000 })

/** The page with all its figures. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(`/analytics/${path}`)
  await settled(page)
}

async function settled(page: Page): Promise<void> {
  await expect(page.locator('[data-trust="live"]')).toBeVisible()
  // Many figures, all asked for at once.
  await expect(page.locator('.skeleton')).toHaveCount(0, { timeout: 30_000 })
  await expect(page.locator('[data-busy]')).toHaveCount(0)
}

const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

test('the pages lead to each other and keep the period', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await page.goto('/live')
  await page.getByRole('link', { name: 'Analytics' }).click()
  await expect(page).toHaveURL(/\/analytics\/overview/)
  await page.getByText('90 days').click()
  await expect(page).toHaveURL(/days=90/)

  const tabs = page.getByRole('navigation', { name: 'Pages of figures' })
  for (const name of ['Quality', 'Control charts', 'Machines', 'Relations', 'Overview']) {
    await tabs.getByRole('link', { name }).click()
    await expect(tabs.getByRole('link', { name })).toHaveAttribute('aria-current', 'page')
    await expect(page).toHaveURL(/days=90/)
    await expect(page.getByRole('radio', { name: '90 days' })).toBeChecked()
  }
})

test('every page with a period begins with the same one, and all time is the longest where there is no more', async ({
  page,
}) => {
  const tabs = page.getByRole('navigation', { name: 'Pages of figures' })
  const checked = (name: string) => page.getByRole('radio', { name, exact: true, checked: true })
  for (const path of ['overview', 'quality', 'control', 'machines', 'relations']) {
    await page.goto(`/analytics/${path}`)
    await expect(checked('30 days')).toHaveCount(1)
  }

  await page.getByRole('group', { name: 'Period' }).getByText('All', { exact: true }).click()
  for (const [name, shown] of [
    ['Overview', '1 year'],
    ['Patterns', null],
    ['Control charts', 'All'],
    ['Predictor', null],
    ['Machines', '1 year'],
    ['Relations', 'All'],
  ] as const) {
    await tabs.getByRole('link', { name }).click()
    await expect(tabs.getByRole('link', { name })).toHaveAttribute('aria-current', 'page')
    if (shown) await expect(checked(shown)).toHaveCount(1)
    await expect(page).toHaveURL(/days=all/)
  }
})

test('days of one’s own are in the address, and survive a reload', async ({ page, shop }) => {
  const { badDay } = await furnishSmallShop(shop)
  await open(page, 'overview')
  await page.getByText('Custom').click()
  await page.getByLabel('From', { exact: true }).fill(badDay)
  await page.getByLabel('to', { exact: true }).fill(badDay)
  await expect(page).toHaveURL(new RegExp(`days=1&until=${badDay}`))
  const flow = page.waitForRequest(new RegExp(`/shop/flow\\?.*until=${badDay}`))
  await page.reload()
  await flow
  await settled(page)

  await expect(page.getByLabel('From', { exact: true })).toHaveValue(badDay)
  await expect(card(page, 'Jobs ended').locator('.summary')).toContainText('in 1 day')
})

test('a bar leads to the jobs behind it, as many as it says', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'quality?days=90')
  const bar = page.getByRole('button', { name: /^Machine trouble, \d+,/ }).first()
  const count = /, (\d+),/.exec((await bar.getAttribute('aria-label')) ?? '')?.[1]
  await bar.click()

  await expect(page).toHaveURL(/\/jobs\?.*reason=MACHINE_FAILURE/)
  await expect(page.getByText(`of ${count}`, { exact: false }).first()).toBeVisible()
  await expect(page.getByRole('article').first()).toContainText('Machine trouble')

  await page.getByRole('button', { name: 'Take off the filter Reason: Machine trouble' }).click()
  await expect(page).not.toHaveURL(/reason=/)
})

test('a column of patterns leads to them, and a step of OEE to its jobs', async ({ page, shop }) => {
  const made = await shop.createPattern({ name: 'Two rings', ring_count: 2, geometry: {} })
  await shop.createPattern({ name: 'One ring', ring_count: 1, geometry: {} })
  await shop.createJob({
    status: 'completed',
    machine_id: 'cnc1',
    end_time: new Date().toISOString(),
    duration_seconds: 3600,
    good_qty: 2,
    parameters: { planned_seconds_per_piece: 1800 },
  })
  await open(page, 'patterns')
  await card(page, 'Complexity')
    .getByRole('button', { name: /^Score up to 30/ })
    .click()
  const behind = page.getByRole('region', { name: 'Simple: 2 patterns' })
  await expect(behind.getByRole('link')).toHaveText(['Two rings', 'One ring'])
  await behind.getByRole('button', { name: 'Close' }).click()

  await card(page, 'Rings')
    .getByRole('button', { name: /^2 rings, 1 pattern/ })
    .click()
  await expect(page).toHaveURL(/\/patterns\?ring_count=2/)
  await expect(page.getByRole('article')).toHaveCount(1)
  await shop.update('patterns', made.id, { name: 'Still two' })
  await expect(page.getByRole('article')).toContainText('Still two')
  await page.getByRole('button', { name: 'Take off the filter Number of rings: 2' }).click()
  await expect(page.getByRole('article')).toHaveCount(2)

  await open(page, 'machines?weekdays=1,2,3,4,5,6,7&group=cnc1')
  await card(page, 'OEE, step by step')
    .getByRole('button', { name: /^Quality/ })
    .click()
  await expect(page).toHaveURL(/\/jobs\?machine_id=cnc1&outcome_at_from=/)
  await expect(page.getByRole('article')).toHaveCount(1)
})

test('a supplier leads to its materials, a column to jobs without an end too, a step of the risk to what failed', async ({
  page,
  shop,
}) => {
  for (const supplier of ['Bergholz', 'Tonewood & Sons', 'Bergholz'])
    await shop.createMaterial({ metadata: { supplier } })
  await shop.createJob({ status: 'completed' })
  await shop.createJob({ status: 'failed', end_time: new Date().toISOString() })
  await shop.createJob({ status: 'failed', job_type: 'glue_up' })
  await shop.createJob({ status: 'cancelled', end_time: new Date().toISOString() })
  await open(page, 'materials')
  await card(page, 'Suppliers')
    .getByRole('button', { name: /^Bergholz, 2,/ })
    .click()
  await expect(page).toHaveURL(/\/materials\?supplier=Bergholz$/)
  await expect(page.getByRole('article')).toHaveCount(2)
  await shop.createMaterial({ name: 'New', metadata: { supplier: 'Bergholz' } })
  await expect(page.getByRole('article')).toHaveCount(3)
  await page.getByRole('button', { name: 'Take off the filter Supplier: Bergholz' }).click()
  await expect(page.getByRole('article')).toHaveCount(4)

  await open(page, 'overview')
  await card(page, 'Jobs ended')
    .getByRole('button', { name: /1 completed, 2 failed/ })
    .click()
  await expect(page.getByRole('article')).toHaveCount(3)
  await shop.createJob({ status: 'completed' })
  await expect(page.getByRole('article')).toHaveCount(4)

  await open(page, 'predictor?job=slice&tool=2')
  const steps = card(page, 'How the risk comes about')
  await expect(steps.locator('svg').getByText('of this kind, material', { exact: false })).toHaveCount(1)
  await expect(steps.getByRole('button', { name: /show the failed jobs$/ })).toHaveCount(2)
  await steps.getByRole('button', { name: /^those of this kind, .*1 of 3 jobs failed/ }).click()
  await expect(page).toHaveURL(/\/jobs\?status=failed&job_type=slice$/)
  await expect(page.getByRole('article')).toHaveCount(1)
})

test('a chart is one stop of the tab key, and arrows lead through it to the jobs of a day', async ({
  page,
  shop,
}) => {
  await furnishSmallShop(shop)
  await open(page, 'overview?days=30')
  const columns = card(page, 'Jobs ended').locator('[data-mark]')
  await columns.first().focus()
  await page.keyboard.press('End')
  await page.keyboard.press('ArrowLeft')
  const column = columns.nth((await columns.count()) - 2)
  await expect(column).toBeFocused()
  await expect(card(page, 'Jobs ended').locator('[tabindex="0"][data-mark]')).toHaveCount(1)
  await page.keyboard.press('Enter')

  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  await expect(page).toHaveURL(new RegExp(`outcome_at_from=${yesterday}`))
})

test('a control chart names the rule, and leads to the job', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'control?job_type=slice')
  const list = card(page, 'Points out of control')
  const fired = list.getByRole('button', { name: 'Nelson 1: beyond 3 sigma' }).first()
  await expect(fired).toContainText('N1')

  await page.getByRole('button', { name: 'Keep these limits' }).click()
  await expect(page).toHaveURL(/center=\d.*sigma=\d/)
  await expect(page.getByText('Limits are kept')).toBeVisible()
  await page.getByRole('button', { name: 'Limits from the baseline again' }).click()

  await fired.click()
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]+$/)
})

test('a control chart of a period, by its own limits or by kept ones', async ({ page, shop }) => {
  const HOUR_MS = 3_600_000
  const [longAgo, lately] = [Date.now() - 40 * 24 * HOUR_MS, Date.now() - 31 * HOUR_MS]
  const steady = (start: number, seconds: number) =>
    Array.from({ length: 30 }, (_, index) => ({
      job_type: 'slice',
      status: 'completed',
      end_time: new Date(start + index * HOUR_MS).toISOString(),
      duration_seconds: seconds + 10 * (index % 2),
    }))
  await shop.createMany('joblog', [...steady(longAgo, 600), ...steady(lately, 900)])
  await open(page, 'control?job_type=slice')
  const summary = card(page, 'Control chart: Duration').locator('.summary')
  await expect(page.getByRole('radio', { name: '30 days' })).toBeChecked()
  await expect(summary).toContainText('In control: none of 10 points')

  await page.getByText('7 days').click()
  await expect(page).toHaveURL(/days=7/)
  await expect(summary).toContainText('In control: none of 10 points')
  await page.reload()
  await settled(page)
  await expect(page.getByRole('radio', { name: '7 days' })).toBeChecked()
  await expect(summary).toContainText('In control: none of 10 points')

  await page.getByRole('group', { name: 'Period' }).getByText('All', { exact: true }).click()
  await expect(page).toHaveURL(/days=all/)
  await expect(summary).toContainText('30 points of 40 out of control')

  await page.getByText('Custom').click()
  await expect(page).toHaveURL(/days=365/)
  await page.getByLabel('From', { exact: true }).fill(new Date(longAgo).toISOString().slice(0, 10))
  await page
    .getByLabel('to', { exact: true })
    .fill(new Date(longAgo + 30 * HOUR_MS).toISOString().slice(0, 10))
  await expect(page).toHaveURL(/until=/)
  await settled(page)
  await expect(summary).toContainText('In control: none of 10 points')
  await page.getByRole('button', { name: 'Keep these limits' }).click()
  await page.getByText('7 days').click()
  await expect(summary).toContainText('30 points of 30 out of control')
})

test('a point of a control chart is read and picked by keys', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'control?chart=xbar_r&days=all')
  const chart = page.getByRole('img', { name: /^Control chart: Duration/ })
  await chart.focus()
  await page.keyboard.press('Home')
  await expect(page.locator('.readout')).toContainText('5 jobs')
  await page.keyboard.press('Enter')
  await expect(
    page
      .getByRole('region', { name: /^The jobs behind/ })
      .getByRole('article')
      .first(),
  ).toBeVisible()
})

test('where each value follows the one before, a chart of residuals is offered', async ({ page, shop }) => {
  const start = Date.now() - 60 * 3_600_000
  await shop.createMany(
    'joblog',
    // A room that warms up and cools down: each job takes about as long as the one before it, and one does not.
    Array.from({ length: 60 }, (_, index) => ({
      job_type: 'slice',
      status: 'completed',
      end_time: new Date(start + index * 3_600_000).toISOString(),
      duration_seconds: 600 + Math.round(200 * Math.sin(index / 4)) + (index === 50 ? 900 : 0),
    })),
  )
  await open(page, 'control?job_type=slice')
  const chart = card(page, 'Control chart: Duration')
  const list = card(page, 'Points out of control').getByRole('listitem')
  await expect(list).not.toHaveCount(0)
  const before = await list.count()
  await chart.getByRole('button', { name: 'Chart residuals instead' }).click()

  await expect(page).toHaveURL(/of=residuals/)
  await expect(chart).toContainText('how far a value is from what the one before lets expect')
  await settled(page)
  expect(await list.count()).toBeLessThan(before)
  await expect(list.filter({ hasText: /\+1\d\smin/ })).toHaveCount(1)
  await expect(page.getByRole('button', { name: 'Keep these limits' })).toHaveCount(0)

  await chart.getByLabel('Of', { exact: true }).selectOption('Measured values')
  await expect(page).not.toHaveURL(/of=/)
  await chart.getByLabel('Chart', { exact: true }).selectOption('Means of 5 (X̄-R)')
  await expect(chart.getByLabel('Of', { exact: true })).toHaveCount(0)
})

test('numbers and pictures are saved', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'overview?days=30')
  const saved = async (button: string) => {
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: button }).click()
    const file = await download
    return { name: file.suggestedFilename(), content: await readFile(await file.path()) }
  }

  const csv = await saved('Save the numbers as CSV: Jobs ended')
  expect(csv.name).toMatch(/^rmos-jobs-ended-\d{4}-\d\d-\d\d\.csv$/)
  expect(csv.content.toString().split('\r\n')).toHaveLength(32)
  for (const title of ['Jobs ended', 'Success from day to day']) {
    const png = await saved(`Save the picture as PNG: ${title}`)
    expect(png.content.subarray(1, 4).toString()).toBe('PNG')
    expect(png.content.length).toBeGreaterThan(5000)
  }

  await page.getByRole('button', { name: 'Show as a table: Jobs ended' }).click()
  const table = page.getByRole('region', { name: 'Jobs ended as a table' })
  await expect(table.getByRole('row')).toHaveCount(31)
})

test('figures follow what happens in the shop', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'overview?days=7')
  const tile = page.locator('.tile', { has: page.getByText('Completed', { exact: true }) }).locator('.value')
  await expect(tile).not.toBeEmpty()
  const before = Number(await tile.textContent())
  await shop.createJob({ status: 'completed', machine_id: 'cnc1' })
  await expect(tile).toHaveText(String(before + 1))

  await page.getByLabel('Machine', { exact: true }).selectOption('bench')
  await expect(page).toHaveURL(/machine_id=bench/)
  await expect(tile).not.toHaveText(String(before + 1))
})

test.describe('in a shop with shifts', () => {
  const always = [1, 2, 3, 4, 5, 6, 7]
  const shifts = [
    { name: 'early', days: always, start: '06:00', end: '14:00' },
    { name: 'rest', days: always, start: '14:00', end: '06:00' },
  ]
  test.use({ settings: { RMOS_SHIFTS: JSON.stringify(shifts) } })

  test('the machines are planned by them, unless the address asks for hours', async ({ page, shop }) => {
    await furnishSmallShop(shop)
    await open(page, 'machines')
    await expect(page.getByText('early (Mon–Sun, 06:00–14:00)')).toBeVisible()
    await expect(page.getByLabel('Planned hours a day')).toBeHidden()
    await expect(card(page, 'OEE, step by step')).toContainText(
      'shifts planned for each machine that had a job',
    )

    await page.getByLabel('Look at').selectOption('Shifts')
    await expect(page).toHaveURL(/by=shift/)
    await expect(card(page, 'Side by side: Shifts').getByRole('button', { name: /^early/ })).toBeVisible()

    await open(page, 'machines?hours=6')
    await expect(page.getByLabel('Planned hours a day')).toHaveValue('6')
    await page.getByRole('button', { name: 'Count the shifts instead' }).click()
    await expect(page.getByText('early (Mon–Sun, 06:00–14:00)')).toBeVisible()
  })
})

test('without shifts machines are planned by hours, and the groups stand in the order of what is shown', async ({
  page,
  shop,
}) => {
  await furnishSmallShop(shop)
  await open(page, 'machines?by=job_type&days=90')
  const bars = card(page, 'Side by side: Kinds of job').getByRole('button', { name: /show the jobs$/ })
  const seconds = (
    await bars.evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label') ?? ''))
  ).map((label) => {
    const [, h, min] = /, (?:(\d+)\sh )?(\d+)\smin/.exec(label) ?? []
    return Number(h ?? 0) * 60 + Number(min ?? 0)
  })
  expect(seconds).toHaveLength(4)
  expect(seconds).toEqual(seconds.toSorted((a, b) => b - a))

  await expect(page.getByLabel('Look at').getByRole('option', { name: 'Shifts' })).toHaveCount(0)
  await page.getByLabel('Look at').selectOption('Machines')
  await expect(page.getByLabel('Planned hours a day')).toHaveValue('8')
})

test('an empty shop says what is missing and how to get it', async ({ page }) => {
  // Eight pages, and axe on each.
  test.setTimeout(240_000)
  for (const [path, words] of [
    ['overview', 'Figures are made of jobs that were completed or failed.'],
    ['quality', 'Fill in “Scrap pieces”'],
    ['control', '0 of 20 points'],
    ['patterns', 'Create one from a preset under Patterns.'],
    ['materials', 'Create a strip family under Materials.'],
    ['machines', 'Name the machine on jobs'],
    ['relations', 'Too few to compare'],
    ['predictor', 'There is no history yet.'],
  ] as const) {
    await open(page, path)
    await expect(page.getByText(words).first(), path).toBeVisible()
    expect(await findings(page), path).toEqual([])
  }
})

test('without the server figures are greyed and dated', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'overview')
  await shop.stop()
  await expect(page.locator('[data-live="no"]')).toContainText('Not live: as of')
  await expect(card(page, 'Jobs ended').locator('svg[data-chart]')).toBeVisible()
})

test('while the server counts, it is said, and the figures come by themselves', async ({ page }) => {
  let refused = 0
  await page.route('**/api/analytics/jobs/status', async (route) => {
    refused += 1
    if (refused > 2) return route.fallback()
    return route.fulfill({
      status: 503,
      headers: { 'Retry-After': '1', 'Content-Type': 'application/problem+json' },
      body: JSON.stringify({ code: 'unavailable', detail: 'there is much to count' }),
    })
  })
  await page.goto('/analytics/overview')

  await expect(card(page, 'Jobs by status').getByText('The server is counting')).toBeVisible()
  await expect(card(page, 'Jobs by status').getByText('No jobs yet')).toBeVisible()
})

test('a figure that cannot be read is asked for again by hand', async ({ page }) => {
  await page.route('**/api/analytics/patterns/rings', (route) =>
    route.fulfill({ status: 500, body: '{}', contentType: 'application/json' }),
  )
  await page.goto('/analytics/patterns')
  const rings = card(page, 'Rings')
  await expect(rings.getByRole('alert')).toBeVisible()
  await page.unrouteAll()
  await rings.getByRole('button', { name: 'Try again' }).click()
  await expect(rings.getByText('No patterns yet')).toBeVisible()
})

for (const { theme, width } of LOOKS) {
  test.describe(`${theme}, ${width} px wide`, () => {
    test.use({ colorScheme: theme, viewport: { width, height: 780 }, reducedMotion: 'reduce' })

    test('no page of figures has a fault', async ({ page, shop }) => {
      test.setTimeout(240_000)
      await furnishSmallShop(shop)
      for (const path of PAGES) {
        await open(page, `${path}?days=90`)
        expect(await findings(page), path).toEqual([])
        const isTooWide = await page.evaluate(
          () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
        )
        expect(isTooWide, `${path} is wider than the screen`).toBe(false)
      }
    })
  })
}

test('conditions hold together, and say what they do not hold for', async ({ page, shop, request }) => {
  await furnishSmallShop(shop)
  await open(page, 'overview?days=90')
  const done = async (query: string) => {
    const answer = await request.get(`${shop.url}/api/analytics/jobs/throughput?days=90&${query}`)
    return ((await answer.json()) as { completed_jobs: number }).completed_jobs
  }
  const both = await done('machine_id=cnc1&job_type=slice')
  expect(both).toBeGreaterThan(0)
  expect(both).toBeLessThan(await done('machine_id=cnc1'))

  await page.getByLabel('Machine', { exact: true }).selectOption('cnc1')
  await page.getByLabel('Kind of job', { exact: true }).selectOption('slice')
  await settled(page)

  await expect(page).toHaveURL(/machine_id=cnc1/)
  await expect(page).toHaveURL(/job_type=slice/)
  await expect(card(page, 'Jobs ended')).toContainText(`${both} jobs completed`)
  await expect(page.getByText('whole shop, whatever is chosen')).toHaveCount(2)
})

test('a plan of another size than the work is said to be one', async ({ page, shop }) => {
  await shop.createJob({
    status: 'completed',
    machine_id: 'cnc1',
    duration_seconds: 60,
    good_qty: 2,
    parameters: { planned_seconds_per_piece: 30 },
  })
  await open(page, 'machines?weekdays=1,2,3,4,5,6,7')

  await expect(card(page, 'OEE, step by step')).toContainText(
    'Jobs ran for only 1 min 00 s of the 240 h 00 min planned',
  )
})

test('a chart of all kinds of job says that it shows a mixture', async ({ page, shop }) => {
  await furnishSmallShop(shop)
  await open(page, 'control')
  const chart = card(page, 'Control chart: Duration')
  await expect(chart).toContainText('All kinds of job are on one chart')

  await page.getByLabel('Kind of job', { exact: true }).selectOption('slice')
  await settled(page)
  await expect(chart).not.toContainText('All kinds of job are on one chart')
})
