import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// The Host header stays the page's, so that the server sees a page of its own.
const api = { target: process.env.RMOS_DEV_API ?? 'http://127.0.0.1:8000', changeOrigin: false }

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  // Nothing inlined as a data: address: the server's Content-Security-Policy allows only what it serves itself.
  build: { assetsInlineLimit: 0, target: 'es2022' },
  server: {
    port: 5173,
    strictPort: true,
    proxy: { '/api': api, '/sse': api, '/health': api, '/ws': { ...api, ws: true } },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
})
