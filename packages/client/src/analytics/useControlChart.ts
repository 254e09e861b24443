/** What a control chart is asked for, in the address, and the answer. */

import { computed } from 'vue'
import {
  CHART_MEASURES,
  CHARTS_OF,
  OF_ONE_JOB,
  type ChartKind,
  type ChartMeasure,
  type ControlChartAnswer,
} from '@/api/analytics'
import { numberIn, one, oneOf } from './urlState'
import { useFigures } from './useFigures'
import type { View } from './useView'

/** Points that fit a screen; the first that are not asked for in the address are 100. */
export const POINTS = ['50', '100', '200'] as const
/** The measured values, or what is left of each after a forecast from the one before. */
export const CHARTED = ['values', 'residuals'] as const
export type Charted = (typeof CHARTED)[number]

const NO_LIMITS = { center: null, sigma: null }

export function useControlChart(view: View) {
  const measure = computed<ChartMeasure>({
    get: () => oneOf(view.query.value, 'measure', CHART_MEASURES),
    set: (value) => view.set({ measure: value, chart: null, ...NO_LIMITS }),
  })
  const kinds = computed(() => CHARTS_OF[measure.value])
  const kind = computed<ChartKind>({
    get: () =>
      kinds.value.find((chart) => chart === one(view.query.value, 'chart')) ?? kinds.value[0] ?? 'i_mr',
    set: (value) => view.set({ chart: value, ...NO_LIMITS }),
  })
  const canForecast = computed(() => OF_ONE_JOB.has(kind.value))
  const of = computed<Charted>({
    get: () => (canForecast.value ? oneOf(view.query.value, 'of', CHARTED) : 'values'),
    set: (value) => view.set({ of: value === 'values' ? null : value, ...NO_LIMITS }),
  })
  const points = computed<string>({
    get: () => String(Math.trunc(numberIn(view.query.value, 'points', 100, 20, 1000))),
    set: (value) => view.set({ points: value === '100' ? null : value }),
  })
  /** Limits that somebody kept, in the address. A forecast always comes from the baseline. */
  const kept = computed(() => {
    const [center, sigma] = [one(view.query.value, 'center'), one(view.query.value, 'sigma')]
    return of.value === 'values' && center !== '' && sigma !== '' ? { center, sigma } : null
  })
  const { data: chart, state } = useFigures<ControlChartAnswer>(
    () => `charts/${measure.value}`,
    () => ({
      chart: kind.value,
      points: points.value,
      ...(of.value === 'residuals' && { of: of.value }),
      ...view.windowOrAll.value,
      ...view.filters.value,
      ...kept.value,
    }),
  )

  function keepLimits(): void {
    const limits = chart.value?.limits
    if (limits) view.set({ center: limits.center, sigma: limits.sigma })
  }

  return {
    measure,
    kinds,
    kind,
    canForecast,
    of,
    points,
    kept,
    chart,
    state,
    keepLimits,
    releaseLimits: () => view.set(NO_LIMITS),
  }
}
