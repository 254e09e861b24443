/** How the values of each measure of a control chart are read by people. */

import type { ChartMeasure } from '@/api/analytics'
import {
  formatDuration,
  formatMeasured,
  formatPercent,
  formatRoundDuration,
  formatShare,
} from '@/i18n/format'

export interface ValueReading {
  format: (value: number) => string
  formatAxis: (value: number) => string
  /** Distances between marks of the axis, where they are not 1, 2 and 5. */
  steps?: number[]
  /** No value can be lower. */
  least?: number
}

const SECONDS = [1, 2, 5, 10, 15, 30]
const DURATIONS = [
  ...SECONDS,
  ...SECONDS.map((step) => step * 60),
  ...[1, 2, 4, 8, 24, 48].map((step) => step * 3600),
]

/** Sums of deviations go below zero, where a duration cannot. */
function formatSigned(seconds: number): string {
  return seconds < 0 ? `−${formatDuration(-seconds)}` : formatDuration(seconds)
}

/** Of what is left after a forecast: how much more or less than expected, so no value is the least. */
export function residualReadingOf(measure: ChartMeasure): ValueReading {
  const { format, formatAxis, steps } = readingOf(measure)
  const signed = (write: (value: number) => string) => (value: number) =>
    value === 0 ? write(0) : `${value < 0 ? '−' : '+'}${write(Math.abs(value))}`
  return { format: signed(format), formatAxis: signed(formatAxis), ...(steps && { steps }) }
}

export function readingOf(measure: ChartMeasure): ValueReading {
  switch (measure) {
    case 'duration':
      return { format: formatSigned, formatAxis: formatRoundDuration, steps: DURATIONS, least: 0 }
    case 'waste':
      return { format: formatPercent, formatAxis: formatPercent, least: 0 }
    case 'kerf_drift': {
      const format = (value: number) => `${formatMeasured(value)} mm`
      return { format, formatAxis: format }
    }
    case 'success':
      return { format: formatShare, formatAxis: formatShare }
    case 'scrap':
      return { format: formatMeasured, formatAxis: formatMeasured, least: 0 }
  }
}
