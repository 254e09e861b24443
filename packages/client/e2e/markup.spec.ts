/**
 * Text that somebody stored in the shop is text on every page: nothing of it runs, and nothing of it becomes an element.
 *
 * The addresses are those of the app's own router, so that a new page is looked at as well; the fields are held against the
 * API's description, so that a new field is filled in here as well.
 */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { LivePage } from './livePage'
import { end, expect, readyAddress, SERVICE, Shop, test } from './server'

/** Short enough for every field: the shortest takes 60 characters. */
const MARKUP = `"><img src=x onerror=pwned=1><svg onload=pwned=1>{{7*7}}`
/** What an id may be: it has neither slash nor space. */
const MARKUP_ID = `"><script>pwned=1<script>{{7*7}}`
const LINK = 'javascript:window.pwned=1'
const SHIFTS = [{ name: MARKUP, days: [1, 2, 3, 4, 5, 6, 7], start: '00:00', end: '12:00' }]
const PASSWORD = 'correct horse battery'

/** What a page did that text must not make it do. */
class Guard {
  readonly #complaints: string[] = []

  private constructor(readonly page: Page) {}

  /** Watch the page from before it is opened. */
  static async of(page: Page): Promise<Guard> {
    const guard = new Guard(page)
    const complain = (text: string) => void guard.#complaints.push(text)
    page.on('dialog', (dialog) => {
      complain(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('pageerror', (error) => complain(error.message))
    page.on('console', (message) => {
      // What the page asked for and was refused, on purpose, is told there too.
      const isRefusal = message.text().startsWith('Failed to load resource')
      if (['error', 'warning'].includes(message.type()) && !isRefusal) complain(message.text())
    })
    await page.exposeFunction('complain', complain)
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (violation) => {
        const { complain } = window as unknown as { complain: (text: string) => void }
        complain(`${violation.violatedDirective} ${violation.blockedURI}`)
      })
    })
    return guard
  }

  async nothingRan(where: string): Promise<void> {
    expect(this.#complaints, where).toEqual([])
    const found = await this.page.evaluate(() => ({
      flag: 'pwned' in window,
      elements: document.querySelectorAll('[onerror], [onload], img[src="x"], iframe, object, embed').length,
      links: document.querySelectorAll('a[href^="javascript:" i]').length,
    }))
    expect(found, where).toEqual({ flag: false, elements: 0, links: 0 })
  }
}

/** Paths of all pages, from the router of the app that runs in the page; those that lead to another page are left out. */
function pathsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    interface Route {
      path: string
      redirect?: unknown
    }
    interface VueApp {
      config: { globalProperties: { $router: { getRoutes(): Route[] } } }
    }
    const { __vue_app__: app } = document.querySelector('#app') as unknown as { __vue_app__: VueApp }
    const routes = app.config.globalProperties.$router.getRoutes()
    return routes.filter(({ redirect }) => redirect === undefined).map(({ path }) => path)
  })
}

async function isSettled(page: Page): Promise<void> {
  await expect(page.locator('[data-trust="live"]')).toBeVisible()
  await expect(page.locator('.skeleton')).toHaveCount(0, { timeout: 30_000 })
  await expect(page.locator('[data-busy]')).toHaveCount(0, { timeout: 30_000 })
}

interface Property {
  type?: string
  enum?: unknown
  format?: string
  anyOf?: Property[]
}

/** Names of the fields of a model in which anything may be written: text, and whatever holds more of it. */
async function openFields(page: Page, shop: Shop, model: string): Promise<string[]> {
  const answer = await page.request.get(`${shop.url}/openapi.json`)
  const { components } = (await answer.json()) as {
    components: { schemas: Record<string, { properties: Record<string, Property> }> }
  }
  const isOpen = ({ type, enum: choices, format, anyOf }: Property): boolean =>
    anyOf?.some(isOpen) ??
    (['string', 'object', 'array'].includes(type ?? '') && choices === undefined && format === undefined)
  return Object.entries(components.schemas[model]?.properties ?? {})
    .filter(([, property]) => isOpen(property))
    .map(([name]) => name)
}

/** Anything that may be written anywhere within a document. */
const nested = { [MARKUP]: MARKUP, link: LINK, list: [MARKUP, { [MARKUP]: LINK }] }

const family = {
  id: MARKUP_ID,
  name: MARKUP,
  material_type: MARKUP,
  strip_width_mm: 0.5,
  strip_thickness_mm: 1.6,
  strips: [{ id: MARKUP, length_mm: 600, position: 1, species: MARKUP, material: MARKUP, [MARKUP]: MARKUP }],
  materials: [{ key: MARKUP, type: MARKUP, species: MARKUP, thickness_mm: 1, cam_profile: MARKUP }],
  metadata: { supplier: MARKUP, ...nested },
}
const pattern = {
  id: MARKUP_ID,
  strip_family_id: MARKUP_ID,
  name: MARKUP,
  geometry: {
    rings: [
      {
        kind: 'tiles',
        radius_mm: 53,
        width_mm: 2,
        segments: 90,
        strips: [
          { width_mm: 1, material: MARKUP },
          { width_mm: 1, material: LINK },
        ],
      },
    ],
    ...nested,
  },
  metadata: nested,
}
const job = {
  id: MARKUP_ID,
  pattern_id: MARKUP_ID,
  strip_family_id: MARKUP_ID,
  job_type: MARKUP,
  machine_id: MARKUP,
  project_id: MARKUP,
  operator: MARKUP,
  note: MARKUP,
  parameters: { tool_diameter_mm: 1, kerf_mm: 0.3, ...nested },
  results: { waste_percentage: 3, strip_used_mm: 220, actual_kerf_mm: 0.3, ...nested },
  metadata: nested,
}

/** Enough jobs for every figure to have something to tell, of groups that are all called by markup. */
function pastJobs(): Record<string, unknown>[] {
  return Array.from({ length: 160 }, (_, number) => {
    const ended = Date.now() - 3_600_000 - number * 4 * 3_600_000
    const seconds = 600 + 40 * (number % 7) + (number === 40 ? 6000 : 0)
    const isFailed = number % 6 === 0
    return {
      ...job,
      id: `${MARKUP_ID}${number}`,
      job_type: number % 2 ? MARKUP : LINK,
      machine_id: number % 3 ? MARKUP : LINK,
      status: isFailed ? 'failed' : 'completed',
      reason: isFailed ? 'OTHER' : null,
      start_time: new Date(ended - seconds * 1000).toISOString(),
      end_time: new Date(ended).toISOString(),
      good_qty: isFailed ? 0 : 4,
      scrap_qty: isFailed ? 4 : number % 2,
    }
  })
}

test.use({
  settings: { RMOS_SHIFTS: JSON.stringify(SHIFTS), RMOS_SITE: 'shop' },
})
test.describe.configure({ timeout: 240_000 })

test('what was stored is text on every page that the router knows', async ({ page, shop }) => {
  const guard = await Guard.of(page)
  const live = new LivePage(page)
  for (const [model, filled] of Object.entries({
    PatternCreate: pattern,
    JobLogCreate: job,
    StripFamilyCreate: family,
  })) {
    const missing = (await openFields(page, shop, model)).filter((name) => !(name in filled))
    expect(missing, model).toEqual([])
  }
  const id = encodeURIComponent(MARKUP_ID)
  await shop.createMaterial(family)
  await shop.createPattern(pattern)
  await shop.update('patterns', id, { metadata: { ...nested, changed: MARKUP } })
  await shop.createMany('joblog', pastJobs())
  await shop.createJob({ ...job, status: 'running' })
  await shop.update('joblogs', id, { note: LINK, machine_id: LINK })

  await page.goto('/live')
  await live.isLive()
  await live.row('updated').first().click()
  await expect(live.detail.locator('pre')).toContainText('onerror=pwned=1')
  await guard.nothingRan('the detail of an event')

  const parts: Record<string, string> = {
    '/patterns/:id': `/patterns/${id}`,
    '/jobs/:id': `/jobs/${id}`,
    '/materials/:id': `/materials/${id}`,
    '/:rest(.*)*': `/no/such/${encodeURIComponent(MARKUP)}`,
  }
  const paths = await pathsOf(page)
  expect(paths.length).toBeGreaterThan(15)
  for (const path of paths) {
    const address = path.includes(':') ? parts[path] : path
    if (address === undefined) throw new Error(`what does ${path} stand for?`)
    await page.goto(`${address}?q=${encodeURIComponent(MARKUP)}&machine_id=${encodeURIComponent(MARKUP)}`)
    await isSettled(page)
    await guard.nothingRan(`${path} with markup in the address`)
    await page.goto(address)
    await isSettled(page)
    // Charts say the same as tables, in other elements.
    for (const button of await page.getByRole('button', { name: /table/i }).all()) await button.click()
    await guard.nothingRan(path)
  }

  for (const list of ['/patterns', '/jobs', '/materials']) {
    await page.goto(list)
    await expect(page.getByRole('article').getByRole('link', { name: MARKUP }).first()).toBeVisible()
  }
  for (const path of [parts['/patterns/:id'], parts['/jobs/:id'], parts['/materials/:id']]) {
    await page.goto(path ?? '')
    await expect(page.getByRole('heading', { name: MARKUP })).toBeVisible()
    await expect(page.getByRole('region', { name: 'History' }).getByText('Created')).toBeVisible()
    await guard.nothingRan(`the history on ${path}`)
  }
  for (const figures of ['/analytics/machines', '/analytics/materials', '/analytics/patterns']) {
    await page.goto(figures)
    await isSettled(page)
    await expect(page.getByText(MARKUP).filter({ visible: true }).first()).toBeVisible()
  }
})

test('what a program broadcasts is text, in every category', async ({ page, request }, { outputDir }) => {
  const guard = await Guard.of(page)
  const program = spawn(join(SERVICE, '.venv/bin/python'), [join(import.meta.dirname, 'custom_events.py')], {
    cwd: SERVICE,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: SERVICE, RMOS_DATA: join(outputDir, 'data') },
  })
  try {
    const shop = new Shop('', request)
    shop.url = await readyAddress(program)
    const data = { id: MARKUP, message: MARKUP, machine_id: MARKUP, project_id: LINK, nested }
    program.stdin.write(`${JSON.stringify({ event: 'custom_status', data })}\n`)

    const live = new LivePage(page)
    await page.goto(`${shop.url}/live`)
    await live.isLive()
    await expect(live.row(MARKUP)).toHaveCount(1)
    await live.row(MARKUP).click()
    await expect(live.detail).toContainText(`machine:${MARKUP}`)
    await guard.nothingRan('a custom event')
  } finally {
    program.stdin.end()
    await end(program)
  }
})

test.describe('where people log in', () => {
  test.use({ settings: { RMOS_AUTH: 'required' } })

  test('names, channels and what is typed at the door are text', async ({ page, shop, request }) => {
    const guard = await Guard.of(page)
    const headers = { Authorization: `Bearer ${shop.adminToken}` }
    const auth = `${shop.url}/api/rmos/auth`
    const channels = [`machine:${MARKUP}`, `project:${LINK}`]
    for (const [path, body] of [
      ['users', { name: MARKUP, role: 'viewer', password: PASSWORD }],
      ['keys', { name: MARKUP, role: 'viewer' }],
    ] as const) {
      expect((await request.post(`${auth}/${path}`, { headers, data: body })).status(), path).toBe(422)
    }
    const user = { name: 'ben', role: 'viewer', password: PASSWORD, channels }
    expect((await request.post(`${auth}/users`, { headers, data: user })).status()).toBe(201)
    const made = await request.post(`${auth}/keys`, {
      headers,
      data: { name: 'screen', role: 'viewer', channels },
    })
    const { secret } = (await made.json()) as { secret: string }
    const stopped = new AbortController()
    const listening = await fetch(
      `${shop.url}/sse/monitor?channels=${encodeURIComponent(`machine:${MARKUP}`)}`,
      {
        headers: { Authorization: `Bearer ${secret}`, 'User-Agent': MARKUP },
        signal: stopped.signal,
      },
    )
    expect(listening.status).toBe(200)

    await page.goto(`/live#login=${encodeURIComponent(MARKUP)}`)
    await expect(page.getByText('This login link is of no use any more')).toBeVisible()
    await page.getByLabel('User', { exact: true }).fill(MARKUP)
    await page.getByLabel('Password', { exact: true }).fill(MARKUP)
    await page.getByRole('button', { name: 'Log in' }).click()
    await expect(page.getByRole('alert')).toContainText('User or password is wrong')
    await guard.nothingRan('the login')

    await page.goto(shop.loginLink)
    await expect(page.locator('[data-trust="live"]')).toBeVisible()
    for (const path of (await pathsOf(page)).filter((path) => path.startsWith('/settings'))) {
      await page.goto(path)
      await isSettled(page)
      await guard.nothingRan(path)
    }
    await page.goto('/settings/access')
    for (const name of ['Users', 'API keys']) {
      await expect(page.getByRole('region', { name }).getByText(MARKUP).first()).toBeVisible()
    }
    await expect(page.getByRole('region', { name: 'Connected now' }).getByText('key:screen')).toBeVisible()
    await guard.nothingRan('who may come in')
    stopped.abort()
  })
})
