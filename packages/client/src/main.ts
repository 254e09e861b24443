import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { ApiError } from './api/errors'
import App from './App.vue'
import { router } from './router'
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
app.use(router)
usePreferences()
app.mount('#app')
