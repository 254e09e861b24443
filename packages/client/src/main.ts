import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { codeIn } from './access/loginCode'
import { ApiError } from './api/errors'
import { setDoorkeeper } from './api/http'
import App from './App.vue'
import { firstLoginCode, router } from './router'
import { useAccess } from './stores/access'
import { usePreferences } from './stores/preferences'
import './styles/tokens.css'
import './styles/base.css'

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The server is on this machine or in this workshop: being off the internet says nothing about it.
      networkMode: 'always',
      // Events keep what is shown true; this is the net below them.
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.isTemporary,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4000),
    },
  },
})

const app = createApp(App)
app.use(createPinia())
app.use(VueQueryPlugin, { queryClient })

const access = useAccess()
setDoorkeeper({ regained: access.regained, refused: () => void access.ask() })
void (firstLoginCode === null ? access.ask() : access.redeem(firstLoginCode))
// A login link that is opened in a tab where the app is already.
router.beforeEach((to) => {
  const code = codeIn(to.hash)
  if (code === null) return true
  void access.redeem(code)
  return { path: to.path, query: to.query, hash: '', replace: true }
})
app.use(router)
usePreferences()
app.mount('#app')
