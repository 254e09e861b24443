/** The monitor against the real server: what happens in the shop is on the screen, once, in order, and never pretends. */

import type { Page } from '@playwright/test'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findings, LOOKS } from './accessibility'
import { LivePage, tally, Wire } from './livePage'
import { end, expect, readyAddress, SERVICE, test } from './server'

const PYTHON = process.env.RMOS_PYTHON ?? join(SERVICE, '.venv/bin/python')

// One snapshot when a page comes, and then none that would stand between the events of a test.
test.use({ settings: { RMOS_METRICS_INTERVAL_S: '3600' } })

/** Numbers from `from` on as jobs that can be told apart. */
function jobs(count: number, from = 1): { job_type: string }[] {
  return Array.from({ length: count }, (_, index) => ({ job_type: `cut ${from + index}` }))
}

/** Count how often a page is loaded. */
function watchLoads(page: Page): () => number {
  let loads = 0
  page.on('load', () => (loads += 1))
  return () => loads
}

test.describe('two tabs', () => {
  test('what one edits in a form appears in the stream and the list of the other', async ({
    page: editor,
    context,
    shop,
  }) => {
    const pattern = await shop.createPattern({ name: 'Rope' })
    const job = await shop.createJob({ machine_id: 'cnc1' })
    const family = await shop.createMaterial({ name: 'Maple' })
    const other = await context.newPage()
    const loads = watchLoads(other)
    const live = new LivePage(other)
    await live.open()
    const menu = other.getByRole('navigation', { name: 'Main menu' })
    const edits = [
      { list: 'Patterns', path: `/patterns/${pattern.id}`, field: 'Name', event: '“Rope 7” updated' },
      { list: 'Jobs', path: `/jobs/${job.id}`, field: 'Machine', event: 'slice job on Rope 7 →' },
      {
        list: 'Materials',
        path: `/materials/${family.id}`,
        field: 'Name',
        event: '“Rope 7” updated, 0 strips',
      },
    ]

    for (const { list, path, field, event } of edits) {
      await editor.goto(path)
      const text = editor.getByRole('textbox', { name: field, exact: true })
      await text.fill('Rope 7')
      await editor.getByRole('button', { name: 'Save' }).click()
      await expect(live.row(event)).toHaveCount(1)

      // The list shows the first edit when it is opened; the second arrives under the reader's eyes.
      await menu.getByRole('link', { name: list }).click()
      const row = other.getByRole('article')
      await expect(row).toContainText('Rope 7')
      const asked: string[] = []
      const note = (request: { url: () => string }) => asked.push(request.url())
      other.on('request', note)
      await text.fill('Rope 8')
      await editor.getByRole('button', { name: 'Save' }).click()
      await expect(row).toContainText('Rope 8')
      other.off('request', note)
      expect(
        asked.filter((url) => url.includes('/stores/')),
        'the event alone changes the list',
      ).toEqual([])
      await menu.getByRole('link', { name: 'Live' }).click()
    }
    expect(loads(), 'times the page was loaded').toBe(1)
  })

  test('what one creates and deletes by hand comes to and goes from the other', async ({
    page: editor,
    context,
  }) => {
    const watching = await context.newPage()
    const listing = await context.newPage()
    const live = new LivePage(watching)
    await live.open()
    await listing.goto('/materials')
    await expect(listing.getByText('No materials yet')).toBeVisible()

    await editor.goto('/materials/new')
    await editor.getByRole('textbox', { name: 'Name' }).fill('Holly')
    await editor.getByRole('combobox', { name: 'Wood or material' }).fill('holly')
    await editor.getByRole('textbox', { name: 'Strip width (mm)' }).fill('0.5')
    await editor.getByRole('textbox', { name: 'Strip thickness (mm)' }).fill('1.6')
    await editor.getByRole('button', { name: 'Create' }).click()
    await expect(live.row('“Holly” created')).toHaveCount(1)
    await expect(listing.getByRole('article')).toContainText('Holly')

    await editor.getByRole('button', { name: 'Delete' }).click()
    // The server hears of a deletion when it can no longer be undone, some seconds later.
    await expect(live.row('“Holly” deleted')).toHaveCount(1, { timeout: 20_000 })
    await expect(listing.getByText('No materials yet')).toBeVisible()
  })
})

test('a stream at work, an open event, a pause and an old screen have no fault in any look', async ({
  page,
  shop,
}) => {
  await shop.createMaterial({ name: 'Maple' })
  const pattern = await shop.createPattern({ name: 'Rope' })
  await shop.createMany('joblog', jobs(30))
  const job = await shop.createJob({ status: 'running', pattern_id: pattern.id })
  await shop.update('joblogs', job.id, { status: 'failed', reason: 'MACHINE_FAILURE', note: 'dull' })
  await shop.remove('joblogs', job.id)
  const live = new LivePage(page)
  await page.emulateMedia({ reducedMotion: 'reduce' })

  for (const { theme, width } of LOOKS) {
    const look = `${theme}, ${width} px wide`
    await page.emulateMedia({ colorScheme: theme })
    await page.setViewportSize({ width, height: 780 })
    await live.open()
    // Less motion is no less following: the newest is in sight.
    await expect(live.row('slice job deleted')).toBeInViewport({ ratio: 1 })
    await live.stream.hover()
    await page.mouse.wheel(0, -400)
    await expect(live.newest).toBeVisible()
    await live.view()
    expect(await findings(page), `scrolled up, ${look}`).toEqual([])

    await live.newest.click()
    await live.row('slice job failed').click()
    await expect(live.detail.locator('ins').first()).toBeVisible()
    expect(await findings(page), `event, ${look}`).toEqual([])
    await page.keyboard.press('Escape')

    await live.monitor.getByRole('button', { name: 'Pause' }).click()
    await live.monitor.getByRole('button', { name: 'Disconnect' }).click()
    await live.isOld()
    expect(await findings(page), `paused and old, ${look}`).toEqual([])
  }
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`after ${signal} of the server nothing is missing nor doubled`, async ({ page, shop }) => {
    const wire = new Wire(page)
    const live = new LivePage(page)
    await shop.createMany('joblog', jobs(20))
    await live.open()
    await expect(live.row('cut 20 job')).toBeVisible()
    await shop.createMany('joblog', jobs(10, 21))
    await expect(live.row('cut 30 job')).toBeVisible()

    await shop.stop(signal)
    await live.isOld()
    await expect(live.badge).toContainText('Reconnecting')
    // The server works again, but not where the page looks: what happens now it cannot see.
    await shop.startElsewhere()
    await shop.createMany('joblog', jobs(40, 31))
    const pattern = await shop.createPattern({ name: 'While nobody looked' })
    await shop.update('patterns', pattern.id, { name: 'Changed while nobody looked' })
    await shop.stop(signal)
    await expect(live.badge).not.toContainText('Connected')
    await shop.start()

    await live.isLive()
    await expect(live.row('“Changed while nobody looked” updated')).toBeVisible()
    await shop.createJob({ job_type: 'afterwards' })
    await expect(live.row('afterwards job')).toBeVisible()
    const log = await shop.log()
    expect(log).toHaveLength(73)
    expect(await live.shownIds()).toEqual(log.map(({ id }) => id))
    expect(await live.counts()).toMatchObject(tally(log))
    await expect(live.monitor.getByText('missing here')).toHaveCount(0)
    // Resumed, not read anew.
    expect(wire.lastSubscribe?.since).toMatch(/:\d+$/)
    expect(wire.received.filter(({ id }) => id !== undefined)).toHaveLength(73)
  })
}

test('five thousand events: few rows, the last one shown, and the reader keeps the place', async ({
  page,
  shop,
}) => {
  const live = new LivePage(page)
  await live.open()
  const frames = await live.watchFrames()

  await shop.createMany('joblog', jobs(2500))
  await shop.createMany('joblog', jobs(2500, 2501))
  await expect(live.row('cut 5000 job created')).toBeInViewport({ ratio: 1 })
  await expect.poll(() => live.counts()).toMatchObject({ 'job:created': 5000 })
  await expect(live.newest).toBeHidden()
  const flood = await frames()
  expect(flood.mostRows).toBeGreaterThan(10)
  expect(flood.mostRows).toBeLessThanOrEqual(200)
  expect(flood.holes, `of ${flood.drawn} frames with a hole while following`).toBe(0)

  await live.stream.hover()
  await page.mouse.wheel(0, -30_000)
  await expect(live.newest).toHaveText(/Newest/)
  const before = await live.view()
  expect(before.text).toMatch(/cut \d+ job created/)
  await frames()
  // The list is full: each new event drops an old one, above what is being read.
  await shop.createMany('joblog', jobs(300, 5001))
  await expect(live.newest).toHaveText(/300 new/)
  await shop.createMany('joblog', jobs(200, 5301))
  await expect(live.newest).toHaveText(/500 new/)
  expect(await live.view()).toEqual(before)
  const reading = await frames()
  expect(reading.holes, `of ${reading.drawn} frames with a hole while reading`).toBe(0)
  expect(reading.mostRows).toBeLessThanOrEqual(200)
  await expect(live.monitor.getByText(/50\d older events dropped/)).toBeVisible()

  await live.newest.click()
  await expect(live.row('cut 5500 job created')).toBeInViewport({ ratio: 1 })
  await expect(live.newest).toBeHidden()
  await shop.createJob({ job_type: 'one more' })
  await expect(live.row('one more job created')).toBeInViewport({ ratio: 1 })
})

test('a pause counts what piles up, and its end shows it', async ({ page, shop }) => {
  const live = new LivePage(page)
  await live.open()
  await shop.createJob({ job_type: 'before' })
  await expect(live.row('before job')).toBeVisible()

  await live.monitor.getByRole('button', { name: 'Pause' }).click()
  await expect(live.monitor.getByText('Paused. Nothing new yet.')).toBeVisible()
  await shop.createMany('joblog', jobs(3))
  await expect(live.monitor.getByText('Paused. 3 new events waiting.')).toBeVisible()
  await expect(live.row('cut')).toHaveCount(0)

  await live.monitor.getByRole('button', { name: 'Resume' }).click()
  await expect(live.row('cut')).toHaveText([/cut 1/, /cut 2/, /cut 3/])
  await expect(live.monitor.getByText('Paused.')).toHaveCount(0)
})

test('a search finds in everything an event says, and the footer says how many', async ({ page, shop }) => {
  const live = new LivePage(page)
  await shop.createMany('joblog', [
    { job_type: 'slice', machine_id: 'cnc1' },
    { job_type: 'slice', machine_id: 'cnc2', note: 'blade is dull' },
    { job_type: 'contour', machine_id: 'cnc2' },
  ])
  await live.open()
  const search = live.monitor.getByRole('searchbox', { name: 'Search events' })

  await search.fill('CNC2 slice')
  await expect(live.rows).toHaveText([/slice job on cnc2/])
  await expect(live.monitor.getByText('1 of 4 events')).toBeVisible()
  await search.fill('dull')
  await expect(live.rows).toHaveCount(1)
  await shop.createJob({ job_type: 'sanding', note: 'the paper is DULL' })
  await expect(live.row('sanding job')).toBeVisible()
  await search.fill('no such thing')
  await expect(live.monitor.getByText('No event matches')).toBeVisible()

  await search.press('Escape')
  await expect(live.row('job created')).toHaveCount(4)
})

test('the footer counts every event by its type', async ({ page, shop }) => {
  const live = new LivePage(page)
  await live.open()
  await shop.createMany('joblog', jobs(12))
  const job = await shop.createJob({ status: 'running' })
  await shop.update('joblogs', job.id, { status: 'failed', reason: 'MACHINE_FAILURE' })
  const other = await shop.createJob({ status: 'running' })
  await shop.update('joblogs', other.id, { progress: 0.5 })
  await shop.update('joblogs', other.id, { status: 'completed' })
  await shop.remove('joblogs', job.id)
  const pattern = await shop.createPattern()
  await shop.update('patterns', pattern.id, { name: 'Rope 2' })
  await shop.update('patterns', pattern.id, { name: 'Rope 3' })
  await shop.createMaterial()

  const expected = { ...tally(await shop.log()), 'metrics:snapshot': 1 }
  expect(expected).toMatchObject({
    'job:created': 14,
    'job:failed': 1,
    'job:completed': 1,
    'job:updated': 1,
    'job:deleted': 1,
    'pattern:updated': 2,
  })
  await expect.poll(() => live.counts()).toEqual(expected)
  await expect(live.monitor.getByText('23 events', { exact: true })).toBeVisible()
})

test.describe('filters', () => {
  test.use({ settings: { RMOS_METRICS_INTERVAL_S: '0.3', RMOS_HEARTBEAT_S: '1' } })

  test('narrow what is shown and what the server sends', async ({ page, shop }) => {
    const wire = new Wire(page)
    const live = new LivePage(page)
    await live.open()
    const check = (name: string) => live.monitor.getByRole('checkbox', { name })
    await shop.createJob({ job_type: 'slice' })
    await shop.createPattern({ name: 'Rope' })
    await shop.createMaterial({ name: 'Maple' })
    await expect(live.row(/slice job|“Rope”|“Maple”/)).toHaveCount(3)
    await expect.poll(() => wire.sinceSubscribed).toContain('metrics:snapshot')
    expect(wire.lastSubscribe?.filters).toEqual(['all'])

    await check('Job').check()
    await expect(live.rows).toHaveText([/slice job/])
    // The rest of the app needs the stores' events, so of what the server sends the metrics alone can go.
    await expect.poll(() => wire.lastSubscribe?.filters).toEqual(['job', 'pattern', 'material'])
    const heartbeats = () => wire.sinceSubscribed.filter((type) => type === 'system:heartbeat').length
    await expect.poll(heartbeats, 'seconds without a snapshot').toBeGreaterThan(1)
    expect(wire.sinceSubscribed).not.toContain('metrics:snapshot')
    await shop.createPattern({ name: 'Hidden' })
    await shop.createJob({ job_type: 'contour' })
    await expect(live.rows).toHaveText([/slice job/, /contour job/])

    await check('Metrics').check()
    await expect.poll(() => wire.lastSubscribe?.filters).toEqual(['all'])
    await expect.poll(() => wire.sinceSubscribed).toContain('metrics:snapshot')
    await expect(live.row('Metrics snapshot').first()).toBeVisible()
    await expect(live.row('“Hidden”')).toHaveCount(0)

    await check('Job').uncheck()
    await check('Metrics').uncheck()
    await expect(live.row(/slice job|“Rope”|“Maple”|contour job/)).toHaveCount(4)
  })
})

test('the detail of an event shows what changed, from what to what', async ({ page, shop }) => {
  const live = new LivePage(page)
  const job = await shop.createJob({ machine_id: 'cnc1', status: 'running', progress: 0.25 })
  await shop.update('joblogs', job.id, { machine_id: 'cnc2', progress: 0.5, note: 'new blade' })
  await live.open()

  await live.row('slice job on cnc2').click()
  const changes = live.detail.locator('.changes li')
  await expect(changes).toHaveCount(3)
  for (const [field, before, after] of [
    ['Machine', 'cnc1', 'cnc2'],
    ['Progress', '25 %', '50 %'],
    ['Note', null, 'new blade'],
  ] as const) {
    const line = changes.filter({ hasText: field })
    await expect(line.locator('del')).toHaveText(before === null ? [] : [before])
    await expect(line.locator('ins')).toHaveText(after)
  }
  await expect(live.detail).toContainText('job:updated')
  await expect(live.detail.locator('pre')).toContainText(`"key": "job/${job.id}"`)

  await page.keyboard.press('Escape')
  await expect(live.detail).toBeHidden()
  await expect(live.row('slice job on cnc2')).toBeFocused()
})

test('Disconnect ends the stream, and Connect goes on where it was', async ({ page, shop }) => {
  const wire = new Wire(page)
  const live = new LivePage(page)
  await live.open()
  await shop.createJob({ job_type: 'seen' })
  await expect(live.row('seen job')).toBeVisible()

  await live.monitor.getByRole('button', { name: 'Disconnect' }).click()
  await expect(live.badge).toContainText('Disconnected')
  await live.isOld()
  await expect(live.monitor.getByText('Connect to add what is missing.')).toBeVisible()
  await shop.createMany('joblog', jobs(3))
  // The rest of the app still listens: the events were here, and yet not on the screen.
  await expect.poll(() => JSON.stringify(wire.received)).toContain('cut 3')
  await expect(live.row('cut')).toHaveCount(0)
  expect(await live.counts()).toMatchObject({ 'job:created': 1 })

  await live.monitor.getByRole('button', { name: 'Connect', exact: true }).click()
  await live.isLive()
  await expect(live.row('cut')).toHaveText([/cut 1/, /cut 2/, /cut 3/])
  const log = await shop.log()
  expect(wire.lastSubscribe?.since).toBe(log[0]?.id)
  expect(await live.shownIds()).toEqual(log.map(({ id }) => id))
})

test('a page of another origin cannot open the monitor', async ({ page, shop }) => {
  const server = createServer((_, answer) =>
    answer.setHeader('content-type', 'text/html').end('<title>x</title>'),
  )
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const foreign = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const open = (url: string) =>
    page.evaluate(
      (address) =>
        new Promise((done) => {
          const socket = new WebSocket(address)
          const heard: string[] = []
          socket.onmessage = ({ data }) => {
            heard.push((JSON.parse(String(data)) as { type: string }).type)
            if (heard.includes('system:connected')) done({ code: null, heard })
          }
          socket.onclose = ({ code }) => done({ code, heard })
        }),
      url,
    )
  try {
    const monitor = `${shop.url.replace('http:', 'ws:')}/ws/monitor`
    await page.goto(`${shop.url}/live`)
    expect(await open(monitor)).toEqual({ code: null, heard: ['system:connected'] })
    await page.goto(foreign)
    expect(await open(monitor)).toEqual({ code: 4403, heard: ['system:closing'] })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test.describe('freshness', () => {
  test.use({ settings: { RMOS_METRICS_INTERVAL_S: '3600', RMOS_HEARTBEAT_S: '1' } })

  test('a server that falls silent makes the page stale, and live when it speaks again', async ({
    page,
    shop,
  }) => {
    const live = new LivePage(page)
    const trust = page.locator('[data-trust]')
    await live.open()
    await shop.createJob({ job_type: 'seen' })
    await expect(live.row('seen job')).toBeVisible()

    shop.freeze()
    await expect(trust).toHaveAttribute('data-trust', 'stale', { timeout: 5_000 })
    await live.isOld()
    await expect(live.badge).toContainText('Reconnecting')

    const written = shop.createJob({ job_type: 'on thawing' })
    shop.thaw()
    await written
    await live.isLive()
    await expect(trust).toHaveAttribute('data-trust', 'live')
    await expect(live.row('on thawing job')).toHaveCount(1)
    await expect(live.row('seen job')).toHaveCount(1)
    expect(await live.shownIds()).toEqual((await shop.log()).map(({ id }) => id))
  })
})

test('events that a program broadcasts appear', async ({ page }, { outputDir }) => {
  const program = spawn(PYTHON, [join(import.meta.dirname, 'custom_events.py')], {
    cwd: SERVICE,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: SERVICE, RMOS_DATA: join(outputDir, 'data') },
  })
  const broadcast = (event: string, data: object) =>
    program.stdin.write(`${JSON.stringify({ event, data })}\n`)
  try {
    const url = await readyAddress(program)
    await page.goto(`${url}/live`)
    const live = new LivePage(page)
    await live.isLive()

    broadcast('custom_status', { id: 'j1', message: 'spindle is warm', machine_id: 'cnc1' })
    const row = live.row('spindle is warm')
    await expect(row).toContainText('Job custom status')
    await expect.poll(() => live.counts()).toMatchObject({ 'job:custom_status': 1 })
    await row.click()
    await expect(live.detail).toContainText('job/j1')
    await expect(live.detail).toContainText('machine:cnc1')
    await expect(live.detail).toContainText('nothing to compare')

    // It is in the log as well: who comes later sees it.
    await page.reload()
    await expect(live.row('spindle is warm')).toHaveCount(1)
  } finally {
    program.stdin.end()
    await end(program)
  }
})
