/** Create, edit and delete on each page, against the real server, with the screen and the stores looked at. */

import { expect, test } from './server'

test('a pattern is drawn from a preset, edited ring by ring and deleted', async ({ page, shop }) => {
  await page.goto('/patterns')
  await expect(page.getByText('No patterns yet')).toBeVisible()

  await page.getByRole('link', { name: 'New pattern' }).click()
  await page.getByRole('button', { name: 'Start from a preset' }).click()
  await page.getByRole('button', { name: 'Hauser-style rope' }).click()
  await expect(page.getByRole('img', { name: /Hauser-style rope.*5 rings/ })).toBeVisible()
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page).toHaveURL(/\/patterns\/[0-9a-f-]{36}$/)
  const id = page.url().split('/').at(-1) ?? ''

  await page.getByText('Ring 1', { exact: true }).click()
  const radius = page.getByRole('textbox', { name: 'Radius (mm)' })
  await radius.fill('46,2')
  await page.getByRole('textbox', { name: 'Name' }).fill('House rope')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: 'House rope' })).toBeVisible()
  await expect(page.getByRole('region', { name: 'History' }).getByText('Changed')).toBeVisible()
  const stored = await shop.get('patterns', id)
  expect(stored).toMatchObject({
    name: 'House rope',
    version: 2,
    geometry: { rings: [{ radius_mm: 46.2 }, {}, {}, {}, {}] },
  })

  await page.getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByText('No patterns yet')).toBeVisible()
  await expect.poll(() => shop.get('patterns', id), { timeout: 15_000 }).toBeNull()
})

test('a job is created, worked on with the big buttons and reopened', async ({ page, shop }) => {
  const pattern = await shop.createPattern({ name: 'Rope 3' })
  await page.goto('/jobs/new')
  await page.getByRole('combobox', { name: 'Kind of job' }).fill('glue_up')
  await page.getByRole('combobox', { name: 'Pattern' }).selectOption({ label: 'Rope 3' })
  await page.getByRole('textbox', { name: 'Machine' }).fill('press-1')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByRole('heading', { name: 'Glue-up' })).toBeVisible()
  const id = page.url().split('/').at(-1) ?? ''
  const status = page.locator('[data-status]')

  await page.getByRole('button', { name: 'Start' }).click()
  await expect(status).toHaveText('Running')
  await page.getByRole('slider', { name: 'Progress' }).press('ArrowRight')
  await expect.poll(async () => (await shop.get('joblogs', id))?.progress).toBe(0.05)

  await page.getByRole('button', { name: 'Hold' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Glue is drying').click()
  await dialog.getByRole('button', { name: 'Hold' }).click()
  await expect(status).toHaveText('Held')
  expect(await shop.get('joblogs', id)).toMatchObject({
    status: 'held',
    reason: 'GLUE_DRY',
    pattern_id: pattern.id,
  })

  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(status).toHaveText('Running')
  await page.getByRole('button', { name: 'Complete' }).click()
  await dialog.getByRole('textbox', { name: 'Good pieces' }).fill('11')
  await dialog.getByRole('button', { name: 'Complete' }).click()
  await expect(status).toHaveText('Completed')
  expect(await shop.get('joblogs', id)).toMatchObject({ status: 'completed', good_qty: 11, progress: 1 })

  await page.getByRole('button', { name: 'Reopen' }).click()
  await expect(status).toHaveText('Ready')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('button', { name: 'Fail' }).click()
  await dialog.getByText('Machine trouble').click()
  await dialog.getByRole('button', { name: 'Fail' }).click()
  await expect(status).toHaveText('Failed')
})

test('a material shows its stock, and an edit changes it', async ({ page, shop }) => {
  await page.goto('/materials/new')
  await page.getByRole('textbox', { name: 'Name' }).fill('Ebony 0.5')
  await page.getByRole('combobox', { name: 'Wood or material' }).fill('ebony')
  await page.getByRole('textbox', { name: 'Strip width (mm)' }).fill('0.5')
  await page.getByRole('textbox', { name: 'Strip thickness (mm)' }).fill('1.6')
  await page.getByRole('textbox', { name: 'Least stock (mm)' }).fill('1000')
  await page.getByRole('button', { name: 'Add a strip' }).click()
  await page.getByRole('textbox', { name: 'Length (mm)' }).fill('600')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page).toHaveURL(/\/materials\/[0-9a-f-]{36}$/)
  await expect(page.getByText('Low', { exact: true })).toBeVisible()

  await page.getByRole('button', { name: 'Add a strip' }).click()
  await page.getByRole('textbox', { name: 'Length (mm)' }).nth(1).fill('650')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Enough', { exact: true })).toBeVisible()
  const id = page.url().split('/').at(-1) ?? ''
  expect(await shop.get('strip-families', id)).toMatchObject({
    strips: [{ length_mm: 600 }, { length_mm: 650 }],
  })
})

test('a fault is shown at its field, and nothing is stored', async ({ page, shop }) => {
  const pattern = await shop.createPattern()
  await page.goto(`/patterns/${pattern.id}`)
  await page.getByText('Ring 1', { exact: true }).click()
  const width = page.getByRole('textbox', { name: 'Width (mm)' }).first()
  await width.fill('-1')
  await page.getByRole('button', { name: 'Save' }).click()

  await expect(width).toHaveAttribute('aria-invalid', 'true')
  await expect(width).toBeFocused()
  await expect(page.getByRole('alert')).toContainText('Geometry › Rings › 1 › Width')
  expect(await shop.get('patterns', pattern.id)).toMatchObject({ version: 1 })
})

test('two people edit the same material: the second is asked, and may overwrite', async ({ page, shop }) => {
  const family = await shop.createMaterial({ name: 'Walnut' })
  await page.goto(`/materials/${family.id}`)
  await page.getByRole('textbox', { name: 'Name' }).fill('Walnut, mine')
  await shop.update('strip-families', family.id, { material_type: 'black walnut' })
  await expect(page.getByText('A newer version was saved while you were editing.')).toBeVisible()

  await page.getByRole('button', { name: 'Save' }).click()
  const dialog = page.getByRole('dialog', { name: 'Somebody was faster' })
  await expect(dialog).toContainText('Wood or material')
  await dialog.getByRole('button', { name: 'Save mine on top' }).click()

  await expect(dialog).toBeHidden()
  await expect
    .poll(() => shop.get('strip-families', family.id))
    .toMatchObject({ name: 'Walnut, mine', material_type: 'black walnut', version: 3 })
})

test('a form without changes follows what others save', async ({ page, shop }) => {
  const family = await shop.createMaterial({ name: 'Spruce' })
  await page.goto(`/materials/${family.id}`)
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Spruce')
  await expect(page.locator('[data-trust="live"]')).toBeVisible()

  await shop.update('strip-families', family.id, { name: 'Spruce, split' })

  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Spruce, split')
})

test('a deletion is undone before the server hears of it', async ({ page, shop }) => {
  const job = await shop.createJob({ job_type: 'contour' })
  await page.goto(`/jobs/${job.id}`)
  await page.getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByRole('link', { name: 'Contour' })).toBeHidden()

  await page.getByRole('button', { name: 'Undo' }).click()

  await expect(page.getByRole('link', { name: 'Contour' })).toBeVisible()
  expect(await shop.get('joblogs', job.id)).toMatchObject({ version: 1 })
})

test('what is in use is deleted only after it was unlinked', async ({ page, shop }) => {
  const family = await shop.createMaterial({ name: 'Rosewood' })
  const pattern = await shop.createPattern({ name: 'Rope 7', strip_family_id: family.id })
  await page.goto(`/materials/${family.id}`)
  await page.getByRole('button', { name: 'Delete' }).click()

  const dialog = page.getByRole('dialog', { name: '“Rosewood” is still in use' })
  await expect(dialog).toContainText('Rope 7', { timeout: 15_000 })
  expect(await shop.get('strip-families', family.id)).not.toBeNull()
  await dialog.getByRole('button', { name: 'Unlink and delete' }).click()

  await expect(page.getByText('“Rosewood” was deleted').first()).toBeVisible()
  expect(await shop.get('strip-families', family.id)).toBeNull()
  expect((await shop.get('patterns', pattern.id))?.strip_family_id ?? null).toBeNull()
})
