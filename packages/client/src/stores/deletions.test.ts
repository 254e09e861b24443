import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { ApiError } from '@/api/errors'
import { UNDO_MS, useDeletions } from './deletions'
import { useToasts } from './toasts'

const stores = vi.hoisted(() => ({ deleteEntity: vi.fn() }))
vi.mock('@/api/stores', () => stores)

const doomed = { kind: 'patterns', id: 'p1', name: 'Rope' } as const

function use() {
  const app = createApp({})
  const pinia = createPinia()
  app.use(pinia)
  app.use(VueQueryPlugin, { queryClient: new QueryClient() })
  setActivePinia(pinia)
  return app.runWithContext(() => useDeletions())
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
  stores.deleteEntity.mockReset()
})

describe('a deletion', () => {
  it('leaves the screen at once and the server later', async () => {
    const deletions = use()
    stores.deleteEntity.mockResolvedValue(undefined)

    deletions.ask(doomed)
    expect(deletions.isHidden('patterns', 'p1')).toBe(true)
    expect(stores.deleteEntity).not.toHaveBeenCalled()

    await vi.advanceTimersByTimeAsync(UNDO_MS)
    expect(stores.deleteEntity).toHaveBeenCalledWith('patterns', 'p1', {})
  })

  it('that is undone is never asked for', async () => {
    const deletions = use()

    deletions.ask(doomed)
    deletions.undo(doomed)
    await vi.advanceTimersByTimeAsync(10 * UNDO_MS)

    expect(stores.deleteEntity).not.toHaveBeenCalled()
    expect(deletions.isHidden('patterns', 'p1')).toBe(false)
    expect(useToasts().toasts).toEqual([])
  })

  it('of what is in use comes back with a question, and forces only when told so', async () => {
    const deletions = use()
    stores.deleteEntity.mockRejectedValueOnce(new ApiError(409, 'conflict', 'is used by …'))

    deletions.ask(doomed)
    await vi.advanceTimersByTimeAsync(UNDO_MS)
    expect(deletions.blocked).toEqual(doomed)
    expect(deletions.isHidden('patterns', 'p1')).toBe(false)

    stores.deleteEntity.mockResolvedValueOnce(undefined)
    deletions.resolve('unlink')
    await vi.advanceTimersByTimeAsync(0)
    expect(stores.deleteEntity).toHaveBeenLastCalledWith('patterns', 'p1', { force: true })
    expect(deletions.blocked).toBeNull()
  })

  it('that cannot reach the server shows the entity again and says so', async () => {
    const deletions = use()
    stores.deleteEntity.mockRejectedValue(new ApiError(0, 'unreachable', 'no answer'))

    deletions.ask(doomed)
    await vi.advanceTimersByTimeAsync(UNDO_MS)

    expect(deletions.isHidden('patterns', 'p1')).toBe(false)
    expect(useToasts().toasts.at(-1)).toMatchObject({ tone: 'danger' })
  })

  it('is not lost when the page is closed', () => {
    const deletions = use()
    stores.deleteEntity.mockResolvedValue(undefined)

    deletions.ask(doomed)
    window.dispatchEvent(new Event('pagehide'))

    expect(stores.deleteEntity).toHaveBeenCalledWith('patterns', 'p1', { keepalive: true })
  })

  it('of what somebody else deleted first is no fault', async () => {
    const deletions = use()
    stores.deleteEntity.mockRejectedValue(new ApiError(404, 'not_found', 'Pattern not found: p1'))

    deletions.ask(doomed)
    await vi.advanceTimersByTimeAsync(UNDO_MS)

    expect(useToasts().toasts).toEqual([])
  })
})
