/** Logging in and out, what each role sees, and the settings of an admin, on a server that asks who one is. */

import type { APIRequestContext, Page } from '@playwright/test'
import { findings, LOOKS } from './accessibility'
import { expect, test, type Shop } from './server'

const PASSWORD = 'correct horse battery'

test.use({ settings: { RMOS_AUTH: 'required' } })

/** Who asks on behalf of the admin, as a program would: with the key that the server prints at its very first start. */
async function asAdmin(
  shop: Shop,
  request: APIRequestContext,
  method: 'get' | 'post' | 'patch' | 'delete',
  path: string,
  data?: object,
): Promise<Record<string, unknown>> {
  const answer = await request[method](`${shop.url}/api/rmos/${path}`, {
    headers: { Authorization: `Bearer ${shop.adminToken}` },
    ...(data && { data }),
  })
  expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBe(true)
  return (await answer.json()) as Record<string, unknown>
}

async function addUser(
  shop: Shop,
  request: APIRequestContext,
  name: string,
  role: string,
  more: object = {},
): Promise<void> {
  await asAdmin(shop, request, 'post', 'auth/users', { name, role, password: PASSWORD, ...more })
}

async function fillIn(page: Page, user: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('User', { exact: true }).fill(user)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

const live = (page: Page) => page.locator('[data-trust="live"]')

/** Open a page as somebody who has to log in for it. */
async function enter(page: Page, path: string, user: string): Promise<void> {
  await page.goto(path)
  await fillIn(page, user)
  await expect(live(page)).toBeVisible()
}

/** Open a page as the admin, by the link that the server prints. */
async function enterAsAdmin(page: Page, shop: Shop, path: string): Promise<void> {
  await page.goto(shop.loginLink)
  await expect(live(page)).toBeVisible()
  await page.goto(path)
}

test('the link that the server prints logs in once, and leaves the address at once', async ({
  page,
  shop,
  browser,
}) => {
  await page.goto(shop.loginLink)
  await expect(live(page)).toBeVisible()
  await expect(page.getByRole('button', { name: 'Logged in as admin, admin' })).toBeVisible()
  expect(page.url()).not.toContain('login')
  await page.reload()
  await expect(live(page)).toBeVisible()

  const other = await browser.newPage()
  await other.goto(shop.loginLink)
  await expect(other.getByText('This login link is of no use any more')).toBeVisible()
  await expect(other.getByRole('heading', { name: 'Log in' })).toBeVisible()
  expect(other.url()).not.toContain('login')
  await other.close()
})

test('a link that is opened where somebody is in already makes them the one it is for', async ({
  page,
  shop,
  request,
}) => {
  await addUser(shop, request, 'ben', 'operator')
  await enter(page, '/jobs', 'ben')

  await page.evaluate((hash) => (window.location.hash = hash), new URL(shop.loginLink).hash)

  await expect(page.getByRole('button', { name: 'Logged in as admin, admin' })).toBeVisible()
  expect(page.url()).toBe(`${shop.url}/jobs`)
})

test('a password leads to the page that was wanted, a wrong one says so, and logging out ends it', async ({
  page,
  shop,
  request,
}) => {
  await addUser(shop, request, 'ben', 'operator')
  await page.goto('/jobs?status=held')
  await expect(page.getByLabel('User', { exact: true })).toBeFocused()
  await expect(page.getByLabel('User', { exact: true })).toHaveAttribute('autocomplete', 'username')
  await expect(page.getByLabel('Password', { exact: true })).toHaveAttribute(
    'autocomplete',
    'current-password',
  )

  await page.keyboard.type('ben')
  await page.keyboard.press('Tab')
  await page.keyboard.type('wrong')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText('User or password is wrong')
  await expect(page.getByLabel('Password', { exact: true })).toBeFocused()

  await fillIn(page, 'ben')
  await expect(live(page)).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Jobs' })).toBeVisible()
  expect(page.url()).toBe(`${shop.url}/jobs?status=held`)

  await page.getByRole('button', { name: 'Logged in as ben, operator' }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
})

test('too many wrong passwords make the next try wait, with the seconds counted down', async ({ page }) => {
  await page.goto('/live')
  for (let tries = 0; tries < 8; tries++) {
    await fillIn(page, 'nobody', `wrong ${tries}`)
    await expect(page.getByRole('alert')).toBeVisible()
    if (await page.getByText('Too many wrong passwords').isVisible()) break
  }
  await expect(page.getByRole('alert')).toContainText('Too many wrong passwords')
  await expect(page.getByRole('button', { name: /Try again in \d+ s/ })).toBeDisabled()
  await expect(page.getByRole('button', { name: 'Log in' })).toBeEnabled()
})

test('a session that is ended elsewhere asks for a login, and gives back the page with what was typed', async ({
  page,
  shop,
  request,
}) => {
  await addUser(shop, request, 'ben', 'operator')
  await enter(page, '/materials/new', 'ben')
  await page.getByRole('textbox', { name: 'Name' }).fill('Ebony 0.5')
  await page.getByRole('combobox', { name: 'Wood or material' }).fill('ebony')

  const another = `${PASSWORD} staple`
  await asAdmin(shop, request, 'patch', 'auth/users/ben', { password: another })
  const login = page.getByRole('dialog', { name: 'Log in to go on' })
  await expect(login).toContainText('Nothing you typed is lost')
  await page.keyboard.press('Escape')
  await expect(login).toBeVisible()
  await expect(login.getByLabel('User', { exact: true })).toHaveValue('ben')
  await login.getByLabel('Password', { exact: true }).fill(another)
  await page.keyboard.press('Enter')

  await expect(login).toHaveCount(0)
  await expect(live(page)).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Ebony 0.5')
  await page.getByRole('textbox', { name: 'Strip width (mm)' }).fill('0.5')
  await page.getByRole('textbox', { name: 'Strip thickness (mm)' }).fill('1.6')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page).toHaveURL(/\/materials\/[0-9a-f-]{36}$/)
})

test('what was being saved when the session ended is saved after the login', async ({
  page,
  shop,
  request,
}) => {
  await addUser(shop, request, 'ben', 'operator')
  await enter(page, '/materials/new', 'ben')
  await page.getByRole('textbox', { name: 'Name' }).fill('Ebony 0.5')
  await page.getByRole('combobox', { name: 'Wood or material' }).fill('ebony')
  await page.getByRole('textbox', { name: 'Strip width (mm)' }).fill('0.5')
  await page.getByRole('textbox', { name: 'Strip thickness (mm)' }).fill('1.6')

  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Create' }).click()
  const login = page.getByRole('dialog', { name: 'Log in to go on' })
  await login.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await login.getByRole('button', { name: 'Log in' }).click()

  await expect(page).toHaveURL(/\/materials\/[0-9a-f-]{36}$/)
  await expect(page.getByRole('heading', { name: 'Ebony 0.5' })).toBeVisible()
})

test('somebody else who logs in begins on a fresh page', async ({ page, shop, request }) => {
  await addUser(shop, request, 'ben', 'operator')
  await addUser(shop, request, 'ana', 'operator')
  await enter(page, '/materials/new', 'ben')
  await page.getByRole('textbox', { name: 'Name' }).fill('Ebony of Ben')

  await asAdmin(shop, request, 'patch', 'auth/users/ben', { disabled: true })
  await expect(page.getByRole('dialog', { name: 'Log in to go on' })).toBeVisible()
  await fillIn(page, 'ana')

  await expect(page.getByRole('button', { name: 'Logged in as ana, operator' })).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('')
})

test('a viewer looks and finds nothing to press, with the reason; a new role is felt at once', async ({
  page,
  shop,
  request,
}) => {
  await addUser(shop, request, 'vic', 'viewer')
  const made = await asAdmin(shop, request, 'post', 'stores/joblogs', {
    job_type: 'slice',
    status: 'running',
  })
  const { id } = made.joblog as { id: string }
  await enter(page, '/jobs', 'vic')
  await expect(page.getByRole('link', { name: 'Slice' })).toBeVisible()
  await expect(page.getByText('You can look, not change anything')).toBeVisible()
  await expect(page.getByRole('link', { name: 'New job' })).toHaveCount(0)
  await expect(page.getByRole('button', { name: /Hold|Complete/ })).toHaveCount(0)

  await page.goto(`/jobs/${id}`)
  await expect(page.getByRole('textbox', { name: 'Machine' })).toBeDisabled()
  await expect(page.getByRole('slider', { name: 'Progress' })).toBeDisabled()
  await expect(page.getByRole('button', { name: /Save|Delete|Hold/ })).toHaveCount(0)
  await page.goto('/settings/access')
  await expect(page.getByText('You are logged in as vic (viewer)')).toBeVisible()

  await page.goto(`/jobs/${id}`)
  await expect(live(page)).toBeVisible()
  await asAdmin(shop, request, 'patch', 'auth/users/vic', { role: 'operator' })
  await expect(page.getByRole('button', { name: 'Hold' })).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Machine' })).toBeEnabled()
})

test('who is limited to channels has the live monitor and its history, and is told why not more', async ({
  page,
  shop,
  request,
}) => {
  await addUser(shop, request, 'wall', 'viewer', { channels: ['machine:cnc1'] })
  await enter(page, '/live', 'wall')
  await expect(page.getByRole('navigation', { name: 'Main menu' }).getByRole('link')).toHaveText([
    /Live Monitor/,
    /History/,
    /Settings/,
  ])
  for (const machine_id of ['cnc1', 'cnc2']) {
    await asAdmin(shop, request, 'post', 'stores/joblogs', { job_type: 'slice', machine_id })
  }
  await page.getByRole('link', { name: 'History' }).click()
  await expect(page.locator('[data-key]')).toHaveText(/slice job on cnc1 created/)
  await page.getByRole('button', { name: 'Logged in as wall, viewer' }).click()
  await expect(page.getByText('You are limited to some channels')).toBeVisible()
})

test('an admin adds, changes and removes a user', async ({ page, shop, browser }) => {
  await page.goto(shop.loginLink)
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByRole('link', { name: 'Access' }).click()
  const users = page.getByRole('region', { name: 'Users' })
  await expect(users.getByText('(you)')).toBeVisible()

  await users.getByRole('button', { name: 'Add a user' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('ben')
  await dialog.getByLabel('Password', { exact: true }).fill('short')
  await dialog.getByRole('button', { name: 'Add' }).click()
  await expect(dialog.getByText('Must be a text of 10-200 characters')).toBeVisible()
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Add' }).click()
  await expect(users.getByRole('listitem').filter({ hasText: 'ben' })).toContainText('Operator')

  const other = await browser.newPage()
  await other.goto(`${shop.url}/live`)
  await fillIn(other, 'ben')
  await expect(live(other)).toBeVisible()
  await expect(
    page.getByRole('region', { name: 'Connected now' }).getByText('ben', { exact: true }),
  ).toBeVisible()

  await users.getByRole('button', { name: 'Change ben' }).click()
  await dialog.getByRole('combobox', { name: 'Role' }).selectOption('viewer')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(users.getByRole('listitem').filter({ hasText: 'ben' })).toContainText('Viewer')
  await expect(other.getByRole('button', { name: 'Logged in as ben, viewer' })).toBeVisible()

  await users.getByRole('button', { name: 'Remove admin' }).click()
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await expect(dialog.getByRole('alert')).toContainText('last admin')
  await dialog.getByRole('button', { name: 'Cancel' }).click()

  await users.getByRole('button', { name: 'Remove ben' }).click()
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await expect(users.getByText('ben', { exact: true })).toHaveCount(0)
  await expect(other.getByRole('dialog', { name: 'Log in to go on' })).toBeVisible()
  await other.close()
})

test('an API key is shown once, works, and is revoked', async ({ page, shop, request }) => {
  await enterAsAdmin(page, shop, '/settings/access')
  const keys = page.getByRole('region', { name: 'API keys' })
  await keys.getByRole('button', { name: 'Make a key' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('saw')
  await dialog.getByRole('combobox', { name: 'Expires' }).selectOption({ label: 'In 30 days' })
  await dialog.getByRole('button', { name: 'Make a key' }).click()

  const secret = keys.getByRole('textbox', { name: 'The key saw' })
  await expect(secret).toHaveValue(/^rmos_/)
  await expect(keys.getByText('it is shown this once')).toBeVisible()
  const headers = { Authorization: `Bearer ${await secret.inputValue()}` }
  const ask = () => request.get(`${shop.url}/api/rmos/stores/patterns`, { headers })
  expect((await ask()).status()).toBe(200)
  await keys.getByRole('button', { name: 'Copy' }).click()
  await expect(keys.getByRole('button', { name: 'Copied' })).toBeVisible()
  await keys.getByRole('button', { name: 'I have stored it' }).click()
  await expect(secret).toHaveCount(0)
  await page.reload()
  await expect(keys.getByRole('listitem').filter({ hasText: 'saw' })).toContainText('until')
  await expect(secret).toHaveCount(0)

  await keys.getByRole('button', { name: 'Revoke saw' }).click()
  await dialog.getByRole('button', { name: 'Revoke' }).click()
  // Behind an open dialog nothing has a role: the list would seem empty at once.
  await expect(dialog).toBeHidden()
  await expect(keys.getByRole('listitem').filter({ hasText: 'saw' })).toHaveCount(0)
  expect((await ask()).status()).toBe(401)
})

test('the log is checked in words, also against an end noted before, and exported', async ({
  page,
  shop,
  request,
}) => {
  await asAdmin(shop, request, 'post', 'stores/joblogs', { job_type: 'slice' })
  await enterAsAdmin(page, shop, '/settings/access')
  const audit = page.getByRole('region', { name: 'Audit trail' })
  await audit.getByRole('button', { name: 'Check the log now' }).click()
  await expect(audit.getByText('The log is whole')).toBeVisible()
  const noted = await audit.getByRole('textbox', { name: 'The end of the log now' }).inputValue()

  const field = audit.getByRole('textbox', { name: 'End noted before' })
  await field.fill(noted)
  await audit.getByRole('button', { name: 'Check the log now' }).click()
  await expect(audit.getByText('It also still has the end that you noted')).toBeVisible()
  const [offset, hash = ''] = noted.split(':')
  await field.fill(`${offset}:${hash.replace(/^./, (first) => (first === '0' ? '1' : '0'))}`)
  await audit.getByRole('button', { name: 'Check the log now' }).click()
  await expect(audit.getByText('is not what it was')).toBeVisible()

  const download = page.waitForEvent('download')
  await audit.getByRole('link', { name: 'Download' }).click()
  expect((await download).suggestedFilename()).toMatch(/^rmos-audit-.*\.jsonl$/)
})

for (const { theme, width } of LOOKS) {
  test.describe(`${theme}, ${width} px wide`, () => {
    test.use({ colorScheme: theme, viewport: { width, height: 780 }, reducedMotion: 'reduce' })

    test('login and settings have no fault', async ({ page, shop, request }) => {
      test.setTimeout(120_000)
      await addUser(shop, request, 'ben', 'operator')
      await addUser(shop, request, 'wall', 'viewer', { channels: ['machine:cnc1', 'project:*'] })
      await asAdmin(shop, request, 'post', 'auth/keys', { name: 'screen', role: 'viewer' })
      const check = async (what: string) => {
        expect(await findings(page), what).toEqual([])
        const isTooWide = await page.evaluate(
          () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
        )
        expect(isTooWide, `${what} is wider than the screen`).toBe(false)
        const folder = process.env.RMOS_SCREENSHOTS
        if (folder) await page.screenshot({ path: `${folder}/${what}-${theme}-${width}.png`, fullPage: true })
      }

      await page.goto('/live')
      await fillIn(page, 'ben', 'wrong')
      await expect(page.getByRole('alert')).toBeVisible()
      await page.getByText('No password yet').click()
      await check('login')
      await page.goto(shop.loginLink)
      await expect(live(page)).toBeVisible()
      await page.getByRole('button', { name: 'Logged in as' }).click()
      await expect(page.getByRole('menu')).toBeVisible()
      await check('menu')
      await page.keyboard.press('Escape')

      await page.goto('/settings/browser')
      await expect(live(page)).toBeVisible()
      await check('browser')
      await page.goto('/settings/access')
      await expect(page.getByText('wall', { exact: true }).first()).toBeVisible()
      await expect(page.locator('.skeleton')).toHaveCount(0)
      await page.getByRole('button', { name: 'Check the log now' }).click()
      await expect(page.getByText('The log is whole')).toBeVisible()
      await check('access')

      await page.getByRole('button', { name: 'Change ben' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await check('user')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Remove ben' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await check('remove')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Make a key' }).click()
      await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('saw')
      await page.getByRole('dialog').getByRole('button', { name: 'Make a key' }).click()
      await expect(page.getByText('it is shown this once')).toBeVisible()
      await check('secret')

      await page.context().clearCookies()
      await page.goto('/jobs')
      await fillIn(page, 'ben')
      await expect(live(page)).toBeVisible()
      await page.goto('/settings/access')
      await expect(page.getByText('You are logged in as ben (operator)')).toBeVisible()
      await check('not-admin')
      await asAdmin(shop, request, 'patch', 'auth/users/ben', { disabled: true })
      await expect(page.getByRole('dialog', { name: 'Log in to go on' })).toBeVisible()
      await check('again')
    })
  })
}

test.describe('without authentication', () => {
  test.use({ settings: { RMOS_AUTH: 'off' } })

  test('nothing is asked, and the settings say so and how to change it', async ({ page }) => {
    await page.goto('/live')
    await expect(live(page)).toBeVisible()
    await expect(page.getByRole('button', { name: 'Logged in as' })).toHaveCount(0)
    await page.keyboard.press('g')
    await page.keyboard.press('s')
    await page.getByRole('link', { name: 'Access' }).click()
    await expect(page.getByRole('heading', { name: 'Nobody is asked to log in' })).toBeVisible()
    await expect(page.getByText('RMOS_AUTH=required rmos serve')).toBeVisible()
    await expect(page.getByText('No users yet')).toBeVisible()
    await expect(page.getByText('No keys yet')).toBeVisible()
    await expect(page.getByRole('region', { name: 'Connected now' }).getByText('local')).toBeVisible()
    expect(await findings(page)).toEqual([])
    if (process.env.RMOS_SCREENSHOTS)
      await page.screenshot({ path: `${process.env.RMOS_SCREENSHOTS}/off.png`, fullPage: true })
  })
})
