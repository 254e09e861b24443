/** The login form: what is typed, what was answered, and how long to wait after too many tries. */

import { computed, onScopeDispose, ref, type Ref } from 'vue'
import { ApiError } from '@/api/errors'
import { messageOf } from '@/api/messages'
import { t } from '@/i18n'
import { useAccess } from '@/stores/access'

export function useLogin(firstUser: string) {
  const access = useAccess()
  const user = ref(firstUser)
  const password = ref('')
  const isBusy = ref(false)
  const failure: Ref<string | null> = ref(null)
  /** Seconds until the server hears the next try; 0 when it does. */
  const waitS = ref(0)
  let ticking: ReturnType<typeof setInterval> | undefined

  const isBlocked = computed(() => isBusy.value || waitS.value > 0)

  /** Whether it worked. */
  async function submit(): Promise<boolean> {
    if (isBlocked.value) return false
    if (user.value.trim() === '' || password.value === '') {
      failure.value = t.login.empty
      return false
    }
    isBusy.value = true
    failure.value = null
    try {
      await access.logIn({ user: user.value.trim(), password: password.value })
      return true
    } catch (error) {
      explain(error)
      return false
    } finally {
      isBusy.value = false
    }
  }

  function explain(error: unknown): void {
    if (!(error instanceof ApiError)) failure.value = messageOf(error)
    else if (error.isUnreachable) failure.value = t.login.unreachable
    else if (error.status === 429) {
      failure.value = t.login.tooMany
      wait(error.retryAfterS ?? 1)
    } else failure.value = error.status === 401 ? t.login.wrong : messageOf(error)
  }

  function wait(seconds: number): void {
    clearInterval(ticking)
    const until = Date.now() + seconds * 1000
    const tick = () => {
      waitS.value = Math.max(0, Math.ceil((until - Date.now()) / 1000))
      if (waitS.value > 0) return
      clearInterval(ticking)
      failure.value = null
    }
    ticking = setInterval(tick, 250)
    tick()
  }
  onScopeDispose(() => clearInterval(ticking))

  return { user, password, isBusy, isBlocked, failure, waitS, submit }
}
