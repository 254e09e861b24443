/** Addresses of the app. Each page is loaded when it is first visited. */

import { createRouter, createWebHistory } from 'vue-router'
import { t } from './i18n'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: '/live' },
    { path: '/live', component: () => import('./views/LiveView.vue'), meta: { title: t.nav.live } },
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
    { path: '/:rest(.*)*', component: () => import('./views/NotFoundView.vue'), meta: { title: t.app.name } },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})
