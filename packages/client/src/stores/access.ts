/**
 * Who is in front of this screen, and what they may do.
 *
 * Rule 1: the server decides; this only keeps it from having to say no.
 * Rule 2: while a session is over the page stays where it is, with everything typed, and goes on when the same user is
 *         back. Somebody else gets a page of their own: nothing typed, read or asked for by one is used for the other.
 */

import { useQueryClient } from '@tanstack/vue-query'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import * as api from '@/api/access'
import { ApiError } from '@/api/errors'

/**
 * * `asking`: not known yet
 * * `in`: the app may be used; also while the server is away and nothing is known
 * * `out`: somebody must log in before anything is shown
 * * `ended`: somebody was in until a moment ago
 */
export type Standing = 'asking' | 'in' | 'out' | 'ended'

export const useAccess = defineStore('access', () => {
  const client = useQueryClient()
  const standing = ref<Standing>('asking')
  /** Whether the server asks people who they are; null while nobody has told. */
  const isRequired = ref<boolean | null>(null)
  /** Who is in, or was before the session ended. */
  const identity = ref<api.Identity | null>(null)
  /** Counts the users of this page: what one of them saw is not kept for the next. */
  const visit = ref(0)
  /** Whether the login link that was opened is of no use. */
  const isCodeRefused = ref(false)
  let waiting: ((isBack: boolean) => void)[] = []

  /** Limited to channels: the live monitor, and nothing else. */
  const isMonitorOnly = computed(() => (identity.value?.channels ?? null) !== null)
  const canWrite = computed(() => identity.value?.role !== 'viewer' && !isMonitorOnly.value)
  const isAdmin = computed(() => identity.value?.role === 'admin' && !isMonitorOnly.value)

  /** Ask the server who this is. Where it does not answer, everything stays as it is. */
  async function ask(): Promise<void> {
    try {
      settle(await api.whoAmI())
    } catch {
      // The pages tell that the server is away.
      if (standing.value === 'asking') standing.value = 'in'
      if (standing.value === 'in') release(false)
    }
  }

  /** @throws ApiError when the proof does not hold. */
  async function logIn(proof: api.Proof): Promise<void> {
    settle(await api.logIn(proof))
    isCodeRefused.value = false
  }

  /** Exchange the code of a login link for a session. One that is of no use does no harm to who is in already. */
  async function redeem(code: string): Promise<void> {
    try {
      await logIn({ code })
    } catch (error) {
      await ask()
      isCodeRefused.value = standing.value !== 'in' && error instanceof ApiError && error.status === 401
    }
  }

  /** @throws ApiError when the server could not be told. */
  async function logOut(): Promise<void> {
    const auth = await api.logOut()
    isRequired.value = auth.required
    forget()
    standing.value = 'out'
  }

  /** Whether the same user is in again. Resolves when somebody has logged in. */
  function regained(): Promise<boolean> {
    if (standing.value === 'out') return Promise.resolve(false)
    return new Promise((resolve) => {
      waiting.push(resolve)
      if (standing.value === 'in') void ask()
    })
  }

  function settle(auth: api.Auth): void {
    isRequired.value = auth.required
    if (auth.identity === null) {
      if (standing.value === 'asking') standing.value = 'out'
      if (standing.value === 'in') standing.value = 'ended'
      return
    }
    if (identity.value !== null && identity.value.user !== auth.identity.user) forget()
    identity.value = auth.identity
    standing.value = 'in'
    release(true)
  }

  function forget(): void {
    release(false)
    identity.value = null
    client.clear()
    visit.value++
  }

  function release(isBack: boolean): void {
    const released = waiting
    waiting = []
    for (const resolve of released) resolve(isBack)
  }

  return {
    standing,
    isRequired,
    identity,
    visit,
    isCodeRefused,
    isMonitorOnly,
    canWrite,
    isAdmin,
    ask,
    logIn,
    redeem,
    logOut,
    regained,
  }
})
