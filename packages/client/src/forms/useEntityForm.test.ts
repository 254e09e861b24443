import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, nextTick, shallowRef, type App } from 'vue'
import { ApiError } from '@/api/errors'
import type { StripFamily } from '@/api/types'
import { materialRecipe } from '@/components/materials/recipe'
import { useEntityForm } from './useEntityForm'

const stores = vi.hoisted(() => ({ createEntity: vi.fn(), updateEntity: vi.fn(), getEntity: vi.fn() }))
vi.mock('@/api/stores', () => stores)

let app: App

function family(version: number, more: Partial<StripFamily> = {}): StripFamily {
  return {
    id: 'f1',
    version,
    name: 'Maple',
    material_type: 'maple',
    strip_width_mm: 0.5,
    strip_thickness_mm: 1.6,
    strips: [{ id: 's1', length_mm: 600, position: 1, grain: 'straight' }],
    metadata: { supplier: 'Ana', shelf: 3 },
    created_at: '2026-11-24T08:00:00.000Z',
    updated_at: '2026-11-24T08:00:00.000Z',
    ...more,
  }
}

function open(stored: StripFamily | null) {
  const entity = shallowRef(stored)
  return { entity, form: app.runWithContext(() => useEntityForm(materialRecipe, entity)) }
}

beforeEach(() => {
  app = createApp({})
  const pinia = createPinia()
  app.use(pinia)
  app.use(VueQueryPlugin, { queryClient: new QueryClient() })
  setActivePinia(pinia)
})

afterEach(() => {
  for (const mock of Object.values(stores)) mock.mockReset()
})

describe('saving an edit', () => {
  it('sends only what was changed, based on the version that was shown', async () => {
    const { form } = open(family(4))
    stores.updateEntity.mockResolvedValue(family(5, { name: 'Hard maple' }))

    form.draft.value.name = 'Hard maple'
    await form.save()

    expect(stores.updateEntity).toHaveBeenCalledWith('strip-families', 'f1', { name: 'Hard maple' }, 4)
    expect(form.isDirty.value).toBe(false)
    expect(form.base.value?.version).toBe(5)
  })

  it('keeps what the form does not show', async () => {
    const { form } = open(family(1))
    stores.updateEntity.mockResolvedValue(family(2))

    form.draft.value.supplier = ''
    form.draft.value.strips[0]!.length_mm = '550'
    await form.save()

    expect(stores.updateEntity.mock.lastCall?.[2]).toEqual({
      metadata: { shelf: 3 },
      strips: [{ id: 's1', length_mm: 550, position: 1, grain: 'straight' }],
    })
  })

  it('is not tried with text where a number belongs', async () => {
    const { form } = open(family(1))

    form.draft.value.strip_width_mm = 'wide'
    await form.save()

    expect(stores.updateEntity).not.toHaveBeenCalled()
    expect(form.problemAt('/strip_width_mm')).toContain('number')
  })

  it('shows each fault that the server finds at its field', async () => {
    const { form } = open(family(1))
    const fault = { pointer: '/strips/0/length_mm', detail: 'must be at least 0' }
    stores.updateEntity.mockRejectedValue(new ApiError(422, 'invalid', 'strips: …', [fault]))

    form.draft.value.strips[0]!.length_mm = '-1'

    expect(await form.save()).toBeNull()
    expect(form.problemAt('/strips/0/length_mm')).toBe('must be at least 0')
    expect(form.draft.value.strips[0]!.length_mm).toBe('-1')
  })
})

describe('an edit that collides', () => {
  async function collide() {
    const opened = open(family(1))
    stores.updateEntity.mockRejectedValueOnce(new ApiError(412, 'precondition_failed', 'is at version 2'))
    stores.getEntity.mockResolvedValue(family(2, { material_type: 'birdseye maple' }))
    opened.form.draft.value.name = 'Mine'
    await opened.form.save()
    return opened
  }

  it('asks, and loses nothing meanwhile', async () => {
    const { form } = await collide()

    expect(form.conflict.value?.version).toBe(2)
    expect(form.draft.value.name).toBe('Mine')
  })

  it('is put on top of the stored version when told so, without undoing the other change', async () => {
    const { form } = await collide()
    stores.updateEntity.mockResolvedValueOnce(family(3, { name: 'Mine', material_type: 'birdseye maple' }))

    await form.settle('overwrite')

    expect(stores.updateEntity).toHaveBeenLastCalledWith('strip-families', 'f1', { name: 'Mine' }, 2)
    expect(form.conflict.value).toBeNull()
  })

  it('gives way to the stored version when told so', async () => {
    const { form } = await collide()

    await form.settle('reload')

    expect(form.draft.value).toMatchObject({ name: 'Maple', material_type: 'birdseye maple' })
    expect(form.isDirty.value).toBe(false)
  })
})

describe('a newer version that arrives while the form is open', () => {
  it('is shown at once when nothing was typed', async () => {
    const { entity, form } = open(family(1))

    entity.value = family(2, { name: 'Renamed' })
    await nextTick()

    expect(form.draft.value.name).toBe('Renamed')
  })

  it('does not overwrite what was typed, but is told', async () => {
    const { entity, form } = open(family(1))
    form.draft.value.name = 'Mine'

    entity.value = family(2, { name: 'Renamed' })
    await nextTick()

    expect(form.draft.value.name).toBe('Mine')
    expect(form.isOutdated.value).toBe(true)
  })
})

describe('creating', () => {
  it('leaves out what was left empty', async () => {
    const { form } = open(null)
    stores.createEntity.mockResolvedValue(family(1))

    Object.assign(form.draft.value, {
      name: ' Maple ',
      material_type: 'maple',
      strip_width_mm: '0,5',
      strip_thickness_mm: '1.6',
    })
    await form.save()

    expect(stores.createEntity).toHaveBeenCalledWith('strip-families', {
      name: 'Maple',
      material_type: 'maple',
      strip_width_mm: 0.5,
      strip_thickness_mm: 1.6,
      strips: [],
    })
  })

  it('says what must be filled in', async () => {
    const { form } = open(null)

    await form.save()

    const pointers = form.problems.value.map((problem) => problem.pointer)
    expect(pointers).toEqual(['/name', '/material_type', '/strip_width_mm', '/strip_thickness_mm'])
  })

  it('tells a server that is away in words', async () => {
    const { form } = open(null)
    stores.createEntity.mockRejectedValue(new ApiError(0, 'unreachable', 'no answer'))
    Object.assign(form.draft.value, {
      name: 'A',
      material_type: 'b',
      strip_width_mm: '1',
      strip_thickness_mm: '1',
    })

    expect(await form.save()).toBeNull()
    expect(form.failure.value).toContain('make run')
  })
})
