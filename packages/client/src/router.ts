/**
 * Addresses of the app. Each page is loaded when it is first visited, or when the app has nothing else to do: who goes to
 * another page while the network is cut must not find that it was never fetched.
 */

import { shallowRef } from 'vue'
import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import { takeLoginCode } from './access/loginCode'
import { t } from './i18n'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
  }
}

/** The code of the login link that the app was opened with. Taken before the router reads the address. */
export const firstLoginCode = takeLoginCode()

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: '/live' },
    { path: '/live', component: () => import('./views/LiveView.vue'), meta: { title: t.nav.live } },
    {
      path: '/history',
      component: () => import('./views/HistoryView.vue'),
      meta: { title: t.nav.history },
    },
    {
      path: '/patterns',
      component: () => import('./views/PatternsView.vue'),
      meta: { title: t.patterns.title },
    },
    {
      path: '/patterns/new',
      component: () => import('./views/PatternView.vue'),
      props: { id: null },
      meta: { title: t.patterns.create },
    },
    {
      path: '/patterns/:id',
      component: () => import('./views/PatternView.vue'),
      props: true,
      meta: { title: t.patterns.one },
    },
    { path: '/jobs', component: () => import('./views/JobsView.vue'), meta: { title: t.jobs.title } },
    {
      path: '/jobs/new',
      component: () => import('./views/JobView.vue'),
      props: { id: null },
      meta: { title: t.jobs.create },
    },
    {
      path: '/jobs/:id',
      component: () => import('./views/JobView.vue'),
      props: true,
      meta: { title: t.jobs.one },
    },
    {
      path: '/materials',
      component: () => import('./views/MaterialsView.vue'),
      meta: { title: t.materials.title },
    },
    {
      path: '/materials/new',
      component: () => import('./views/MaterialView.vue'),
      props: { id: null },
      meta: { title: t.materials.create },
    },
    {
      path: '/materials/:id',
      component: () => import('./views/MaterialView.vue'),
      props: true,
      meta: { title: t.materials.one },
    },
    { path: '/analytics', redirect: (to) => ({ path: '/analytics/overview', query: to.query }) },
    {
      path: '/analytics/overview',
      component: () => import('./views/analytics/OverviewView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/quality',
      component: () => import('./views/analytics/QualityView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/control',
      component: () => import('./views/analytics/ControlView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/patterns',
      component: () => import('./views/analytics/PatternFiguresView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/materials',
      component: () => import('./views/analytics/MaterialFiguresView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/machines',
      component: () => import('./views/analytics/MachinesView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/relations',
      component: () => import('./views/analytics/RelationsView.vue'),
      meta: { title: t.nav.analytics },
    },
    {
      path: '/analytics/predictor',
      component: () => import('./views/analytics/PredictorView.vue'),
      meta: { title: t.nav.analytics },
    },
    { path: '/settings', redirect: '/settings/browser' },
    {
      path: '/settings/browser',
      component: () => import('./views/settings/BrowserView.vue'),
      meta: { title: t.nav.settings },
    },
    {
      path: '/settings/access',
      component: () => import('./views/settings/AccessView.vue'),
      meta: { title: t.nav.settings },
    },
    { path: '/:rest(.*)*', component: () => import('./views/NotFoundView.vue'), meta: { title: t.app.name } },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})

/** The page that was asked for and could not be fetched; null when the one that is shown is the one asked for. */
export const lostPage = shallowRef<RouteLocationNormalized | null>(null)
router.onError((_error, to) => (lostPage.value = to))
router.afterEach((_to, _from, failure) => {
  if (!failure) lostPage.value = null
})

/** Fetch every page. What cannot be fetched now is fetched when it is visited. */
export async function fetchPages(): Promise<void> {
  const fetches = router.getRoutes().flatMap((route) => {
    const page: unknown = route.components?.default
    return typeof page === 'function' ? [Promise.resolve((page as () => unknown)())] : []
  })
  await Promise.allSettled(fetches)
}
