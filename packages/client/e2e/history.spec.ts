/** Looking back, against the real server: what happened, once more, and the shop as it was. The present goes on beside it. */

import type { Page } from '@playwright/test'
import { Wire } from './livePage'
import { expect, test, type Shop } from './server'

const HOUR_MS = 3_600_000

/** The address of the hour before now and the hour after, so that nothing of a test is outside. */
function aroundNow(): string {
  const time = (ms: number) => new Date(Date.now() + ms).toISOString()
  return `/history?${new URLSearchParams({ from: time(-HOUR_MS), to: time(HOUR_MS) })}`
}

class HistoryPage {
  readonly events
  readonly shop
  readonly rows

  constructor(readonly page: Page) {
    this.events = page.getByRole('region', { name: 'Events', exact: true })
    this.shop = page.getByRole('region', { name: 'The shop then' })
    this.rows = this.events.locator('[data-key]')
  }

  row(text: string | RegExp) {
    return this.rows.filter({ hasText: text })
  }

  button(name: string) {
    return this.page.getByRole('button', { name, exact: true })
  }

  async open(address = aroundNow()): Promise<void> {
    await this.page.goto(address)
    await expect(this.page.getByText('This is the past')).toBeVisible()
    await expect(this.page.locator('[data-trust="live"]')).toBeVisible()
    await expect(this.page.locator('.skeleton')).toHaveCount(0)
  }

  /** The numbers beside the kinds: jobs, patterns, materials. */
  async counts(): Promise<string[]> {
    return this.shop.locator('fieldset b').allInnerTexts()
  }
}

/** A job that was made, begun and done, in three events. */
async function workOn(shop: Shop, fields: Record<string, unknown> = {}): Promise<string> {
  const job = await shop.createJob({ machine_id: 'cnc1', ...fields })
  await shop.update('joblogs', job.id, { status: 'running' })
  await shop.update('joblogs', job.id, { status: 'completed' })
  return job.id
}

test('a newcomer sees the last hour, and is told where the past ends', async ({ page, shop }) => {
  await workOn(shop)
  const history = new HistoryPage(page)

  await page.goto('/live')
  await page.getByRole('link', { name: 'History' }).click()

  await expect(page.getByText('This is the past')).toBeVisible()
  await expect(history.rows).toHaveCount(3)
  await expect(page).toHaveURL(/from=.+&to=.+/)
  await page.getByRole('link', { name: 'What happens now is in the Live Monitor.' }).click()
  await expect(page).toHaveURL(/\/live$/)
})

test('the events of a time can be paged, narrowed and searched', async ({ page, shop }) => {
  await shop.createMany(
    'joblog',
    Array.from({ length: 120 }, (_, index) => ({
      job_type: index === 76 ? 'cut slowly' : `cut ${index + 1}`,
    })),
  )
  await shop.createPattern({ name: 'Rope' })
  const history = new HistoryPage(page)
  await history.open()

  await expect(history.events.getByText('Events 1–50')).toBeVisible()
  await expect(history.rows.first()).toContainText('cut 1 job created')
  await history.button('Next page').click()
  await history.button('Next page').click()
  await expect(history.events.getByText('Events 101–121')).toBeVisible()
  await expect(history.rows.last()).toContainText('“Rope” created')

  await history.events.getByRole('checkbox', { name: 'Pattern' }).check()
  await expect(history.rows).toHaveCount(1)
  await history.events.getByRole('checkbox', { name: 'Pattern' }).uncheck()
  await history.events.getByRole('searchbox').fill('SLOWLY cut')
  await expect(history.rows).toHaveCount(1)
  await expect(history.rows).toContainText('cut slowly job created')
  await history.events.getByRole('searchbox').fill('nothing is called so')
  await expect(history.events.getByText('No event matches')).toBeVisible()
  await history.button('Reset filters').click()
  await expect(history.rows).toHaveCount(50)
})

test('the shop is shown as it was after an event, and leads to what became of it', async ({ page, shop }) => {
  const pattern = await shop.createPattern({ name: 'Rope' })
  const job = await workOn(shop, { pattern_id: pattern.id })
  await shop.createMaterial({ name: 'Maple' })
  await shop.update('patterns', pattern.id, { name: 'Torres' })
  const history = new HistoryPage(page)
  await history.open()
  await expect.poll(() => history.counts()).toEqual(['1', '1', '1'])
  await expect(history.shop.getByText('Completed')).toBeVisible()

  await history.row(/running/).click()
  await history.button('Shop after this event').click()

  await expect.poll(() => history.counts()).toEqual(['1', '1', '0'])
  await expect(history.shop.getByText('Running')).toBeVisible()
  await history.shop.getByText('Patterns').click()
  await expect(history.shop.getByRole('link', { name: 'Rope' })).toBeVisible()

  // Whoever gets the address sees the same.
  const address = page.url()
  await page.goto('/live')
  await history.open(address)
  await expect(history.shop.getByText('Running')).toBeVisible()
  await history.shop.getByRole('link', { name: 'slice' }).click()
  await expect(page).toHaveURL(new RegExp(`/jobs/${job}$`))
})

test('a replay brings every event once more, in order, and the live stream goes on untouched', async ({
  page,
  shop,
}) => {
  const wire = new Wire(page)
  for (let n = 1; n <= 5; n += 1) await shop.createJob({ job_type: `cut ${n}` })
  const history = new HistoryPage(page)
  await history.open()
  const subscribed = wire.sent.filter(({ action }) => action === 'subscribe').length

  await page.getByRole('combobox', { name: 'Speed' }).selectOption('Fastest')
  await history.button('Replay').click()

  await expect(history.events.getByText('The replay has ended.')).toBeVisible()
  await expect(history.rows.locator('.summary')).toHaveText(
    [1, 2, 3, 4, 5].map((n) => `cut ${n} job created`),
  )
  await shop.createPattern({ name: 'Present' })
  await expect.poll(() => wire.received.filter(({ type }) => type === 'pattern:created')).toHaveLength(1)
  await expect(history.row('Present')).toHaveCount(0)
  expect(wire.sent.filter(({ action }) => action === 'subscribe')).toHaveLength(subscribed)
  await history.button('Back to the list').click()
  await expect(history.events.getByText('Events 1–5')).toBeVisible()
})

test('a replay says what it waits for, passes over it, stands still and goes to a place', async ({
  page,
  shop,
}) => {
  await shop.createJob({ job_type: 'cut' })
  const history = new HistoryPage(page)
  await history.open()
  const place = page.getByRole('slider', { name: 'Place in the replay' })

  await history.button('Replay').click()
  await expect(history.events.getByText(/^Nothing happens for .+: .+ to wait\.$/)).toBeVisible()
  await expect(history.events.getByText('Replayed events appear here.')).toBeVisible()
  await history.button('Pause').click()
  await expect(history.button('Go on')).toBeVisible()
  await history.button('Go on').click()
  await history.button('Skip').click()
  await expect(history.row('cut job created')).toHaveCount(1)

  await place.focus()
  await page.keyboard.press('Home')
  await expect(history.row('cut job created')).toHaveCount(0)
  await history.button('Shop at this moment').click()
  await expect.poll(() => history.counts()).toEqual(['0', '0', '0'])
})

test('a time in which nothing happened leads to the last event before it', async ({ page, shop }) => {
  await shop.createJob({ job_type: 'cut' })
  const history = new HistoryPage(page)
  const later = new URLSearchParams({
    from: new Date(Date.now() + HOUR_MS).toISOString(),
    to: new Date(Date.now() + 2 * HOUR_MS).toISOString(),
  })
  await history.open(`/history?${later}`)

  await expect(history.events.getByText('Nothing happened in this time')).toBeVisible()
  await history.button('Go to that event').click()

  await expect(history.row('cut job created')).toHaveCount(1)
})

test('an end before the start is refused, in words', async ({ page, shop }) => {
  await shop.createJob()
  const history = new HistoryPage(page)
  await history.open()

  await page.getByLabel('From').fill('2026-11-24T14:00')
  await page.getByLabel('To', { exact: true }).fill('2026-11-24T06:00')
  await history.button('Show').click()

  await expect(page.getByRole('alert')).toHaveText('Choose an end that is later than the start.')
})

test('what was read stays while the server is away; what was not can be asked for again', async ({
  page,
  shop,
}) => {
  await workOn(shop)
  const history = new HistoryPage(page)
  await history.open()
  await expect(history.rows).toHaveCount(3)

  await shop.stop()
  await expect(page.locator('[data-trust="live"]')).toBeHidden()
  await expect(history.rows).toHaveCount(3)
  await history.button('Today').click()
  await expect(history.events.getByText('The server does not answer')).toBeVisible()
  await shop.start()
  await history.events.getByRole('button', { name: 'Try again' }).click()

  await expect(history.rows).toHaveCount(3)
})

test('the list is read with the keyboard alone', async ({ page, shop }) => {
  await workOn(shop)
  const history = new HistoryPage(page)
  await history.open()

  await history.events.getByRole('list', { name: 'Events of this time, oldest first' }).focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(history.events.getByRole('region', { name: 'Event', exact: true })).toContainText(
    'job:updated',
  )
  await page.keyboard.press('Escape')

  await expect(history.rows.nth(1)).toBeFocused()
})
