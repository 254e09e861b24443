import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import type { Auth, Role } from '@/api/access'
import { ApiError } from '@/api/errors'
import { useAccess } from './access'

const api = vi.hoisted(() => ({ whoAmI: vi.fn(), logIn: vi.fn(), logOut: vi.fn() }))
vi.mock('@/api/access', () => api)

const nobody: Auth = { required: true, identity: null }
let client: QueryClient

function somebody(user: string, role: Role = 'operator', channels: string[] | null = null): Auth {
  return { required: true, identity: { user, role, channels, expires_at: null } }
}

async function arrive(auth: Auth) {
  api.whoAmI.mockResolvedValueOnce(auth)
  const access = useAccess()
  await access.ask()
  return access
}

beforeEach(() => {
  for (const mock of Object.values(api)) mock.mockReset()
  client = new QueryClient()
  const app = createApp({})
  const pinia = createPinia()
  app.use(pinia)
  app.use(VueQueryPlugin, { queryClient: client })
  setActivePinia(pinia)
})

describe('at the start', () => {
  it('lets in who is logged in', async () => {
    expect((await arrive(somebody('ben'))).standing).toBe('in')
  })

  it('asks for a login where nobody is logged in', async () => {
    expect((await arrive(nobody)).standing).toBe('out')
  })

  it('shows the app while the server is away, which the pages tell', async () => {
    api.whoAmI.mockRejectedValue(new ApiError(0, 'unreachable', 'no answer'))
    const access = useAccess()

    await access.ask()

    expect(access.standing).toBe('in')
    expect(access.canWrite).toBe(true)
  })

  it('says that a login link is of no use, unless somebody is in anyway', async () => {
    api.logIn.mockRejectedValue(new ApiError(401, 'unauthorized', 'used'))
    api.whoAmI.mockResolvedValueOnce(nobody)
    const access = useAccess()

    await access.redeem('old')
    expect(access.isCodeRefused).toBe(true)

    api.whoAmI.mockResolvedValueOnce(somebody('ben'))
    await access.redeem('old')
    expect(access.isCodeRefused).toBe(false)
  })
})

describe('a role', () => {
  it.each([
    ['viewer', null, false, false],
    ['operator', null, true, false],
    ['admin', null, true, true],
    ['admin', ['machine:cnc1'], false, false],
  ] as const)('%s limited to %j', async (role, channels, canWrite, isAdmin) => {
    const access = await arrive(somebody('ben', role, channels && [...channels]))

    expect(access.canWrite).toBe(canWrite)
    expect(access.isAdmin).toBe(isAdmin)
  })
})

describe('a session that ends', () => {
  it('lets waiting requests go on when the same user is back', async () => {
    const access = await arrive(somebody('ben'))
    client.setQueryData(['list'], 'seen')
    api.whoAmI.mockResolvedValue(nobody)

    const isBack = access.regained()
    await vi.waitFor(() => expect(access.standing).toBe('ended'))
    api.logIn.mockResolvedValue(somebody('ben'))
    await access.logIn({ user: 'ben', password: 'correct horse' })

    expect(await isBack).toBe(true)
    expect(access.standing).toBe('in')
    expect(client.getQueryData(['list'])).toBe('seen')
  })

  it('hands nothing of one user to another', async () => {
    const access = await arrive(somebody('ben'))
    client.setQueryData(['list'], 'seen')
    const visit = access.visit
    api.whoAmI.mockResolvedValue(nobody)

    const isBack = access.regained()
    await vi.waitFor(() => expect(access.standing).toBe('ended'))
    api.logIn.mockResolvedValue(somebody('ana'))
    await access.logIn({ user: 'ana', password: 'correct horse' })

    expect(await isBack).toBe(false)
    expect(access.visit).toBe(visit + 1)
    expect(client.getQueryData(['list'])).toBeUndefined()
  })

  it('keeps requests waiting while the server is away meanwhile', async () => {
    const access = await arrive(somebody('ben'))
    api.whoAmI.mockResolvedValueOnce(nobody)
    const settled = vi.fn()

    void access.regained().then(settled)
    await vi.waitFor(() => expect(access.standing).toBe('ended'))
    api.whoAmI.mockRejectedValueOnce(new ApiError(0, 'unreachable', 'no answer'))
    await access.ask()

    expect(access.standing).toBe('ended')
    expect(settled).not.toHaveBeenCalled()
  })

  it('makes nobody wait after a logout', async () => {
    const access = await arrive(somebody('ben'))
    api.logOut.mockResolvedValue(nobody)

    await access.logOut()

    expect(access.standing).toBe('out')
    expect(await access.regained()).toBe(false)
  })
})
