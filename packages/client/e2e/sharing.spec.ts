/** All tabs of a browser on one connection, and nothing lost or doubled when the tab that has it goes. */

import type { BrowserContext, Page } from '@playwright/test'
import { LivePage } from './livePage'
import { expect, test, type Shop } from './server'

test.use({ settings: { RMOS_METRICS_INTERVAL_S: '3600', RMOS_HEARTBEAT_S: '1' } })

/** Connections of the monitor as the server counts them. */
async function connections(page: Page, shop: Shop): Promise<number> {
  const answer = await page.request.get(`${shop.url}/metrics`)
  return Number(/^rmos_monitor_connections (\S+)$/m.exec(await answer.text())?.[1])
}

async function openTabs(context: BrowserContext, count: number): Promise<LivePage[]> {
  const tabs: LivePage[] = []
  for (let n = 0; n < count; n += 1) {
    const tab = new LivePage(await context.newPage())
    await tab.open()
    tabs.push(tab)
  }
  return tabs
}

/** The tab whose page has the WebSocket. */
function leaderOf(sockets: Map<Page, number>, tabs: readonly LivePage[]): LivePage | undefined {
  return tabs.find(({ page }) => (sockets.get(page) ?? 0) > 0)
}

/** How many sockets of the monitor each page has open. */
function watchSockets(context: BrowserContext): Map<Page, number> {
  const open = new Map<Page, number>()
  context.on('page', (page) =>
    page.on('websocket', (socket) => {
      open.set(page, (open.get(page) ?? 0) + 1)
      socket.on('close', () => open.set(page, (open.get(page) ?? 0) - 1))
    }),
  )
  return open
}

test('three tabs have one connection, which outlives the tab that holds it', async ({
  context,
  shop,
  page,
}) => {
  const sockets = watchSockets(context)
  const tabs = await openTabs(context, 3)
  await shop.createJob({ job_type: 'before' })
  for (const tab of tabs) await expect(tab.row('before job')).toHaveCount(1)
  expect(await connections(page, shop)).toBe(1)

  for (let left = tabs; left.length > 1;) {
    const leader = leaderOf(sockets, left)
    // Events are on their way while the leader dies.
    const writing = shop.createMany(
      'joblog',
      Array.from({ length: 50 }, (_, n) => ({ job_type: `with ${left.length} tabs ${n}` })),
    )
    await leader?.page.close()
    await writing
    left = left.filter((tab) => tab !== leader)
    await shop.createJob({ job_type: `after ${left.length}` })
    const ids = (await shop.log()).map(({ id }) => id)
    for (const tab of left) {
      await expect(tab.row(`after ${left.length} job`)).toHaveCount(1)
      await tab.isLive()
      expect(await tab.shownIds()).toEqual(ids)
      await expect(tab.monitor.getByText('missing here')).toHaveCount(0)
    }
    expect(await connections(page, shop)).toBe(1)
  }
})

test('tabs lose the connection together and find it together', async ({ context, shop, page }) => {
  const tabs = await openTabs(context, 3)

  await shop.stop('SIGKILL')
  for (const tab of tabs) await tab.isOld()
  await shop.start()
  await shop.createJob({ job_type: 'afterwards' })

  const ids = (await shop.log()).map(({ id }) => id)
  for (const tab of tabs) {
    await tab.isLive()
    await expect(tab.row('afterwards job')).toHaveCount(1)
    expect(await tab.shownIds()).toEqual(ids)
  }
  expect(await connections(page, shop)).toBe(1)
})

test('a tab whose browser knows no locks has a connection of its own', async ({ context, shop, page }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
    delete (Navigator.prototype as { locks?: unknown }).locks
  })
  const tabs = await openTabs(context, 2)

  await shop.createJob({ job_type: 'slice' })

  for (const tab of tabs) await expect(tab.row('slice job')).toHaveCount(1)
  expect(await connections(page, shop)).toBe(2)
})
