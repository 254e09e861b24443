/** What the charts drawn by uPlot have in common: colours of the theme, fonts, axes. */

import type uPlot from 'uplot'

export interface PlotColors {
  text: string
  muted: string
  grid: string
  surface: string
  band: string
  one: string
  two: string
  three: string
  soft: string
  font: string
}

/** The colours in force at an element. A canvas knows nothing of stylesheets. */
export function colorsAt(element: Element): PlotColors {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(`--rmos-${name}`).trim()
  return {
    text: token('text'),
    muted: token('muted'),
    grid: token('chart-grid'),
    surface: token('surface'),
    band: token('chart-band'),
    one: token('chart-1'),
    two: token('chart-2'),
    three: token('chart-3'),
    soft: token('chart-soft'),
    font: `13px ${style.fontFamily}`,
  }
}

export function axisOf(
  colors: PlotColors,
  values: (splits: number[]) => string[],
  more: Partial<uPlot.Axis> = {},
): uPlot.Axis {
  return {
    stroke: colors.muted,
    font: colors.font,
    grid: { stroke: colors.grid, width: 1 },
    ticks: { show: false },
    gap: 6,
    values: (_plot, splits) => values(splits),
    ...more,
  }
}

/** Room for the longest label of a vertical axis, in px. */
export function axisSize(_plot: uPlot, values: string[] | null): number {
  return Math.max(36, ...(values ?? []).map((value) => value.length * 7.4 + 14))
}
