/** What a control chart shows beyond lines: the shaded baseline, and the marks of the rules that fired. */

import type uPlot from 'uplot'
import type { ControlChartAnswer } from '@/api/analytics'
import type { PlotColors } from './plot'

export interface ControlLine {
  /** What is judged: the points themselves, the average of an EWMA chart, the upper sum of a CUSUM chart. */
  values: (number | null)[]
  /** The lower sum of a CUSUM chart, drawn below zero. */
  second: (number | null)[]
  /** The points themselves, where something else is judged on the same scale. */
  raw: (number | null)[]
  center: (number | null)[]
}

export function lineOf(chart: ControlChartAnswer): ControlLine {
  const nothing = chart.points.map(() => null)
  const center = chart.points.map((point) =>
    point.lower === null || chart.limits === null ? null : chart.chart === 'cusum' ? 0 : chart.limits.center,
  )
  const points = chart.points.map((point) => point.value)
  if (chart.chart === 'ewma') {
    const averages = chart.points.map(({ statistic }) => (typeof statistic === 'number' ? statistic : null))
    return { values: averages, second: nothing, raw: points, center }
  }
  if (chart.chart === 'cusum') {
    const sums = chart.points.map(({ statistic }) => (typeof statistic === 'object' ? statistic : null))
    return {
      values: sums.map((sum) => sum?.high ?? null),
      second: sums.map((sum) => (sum ? -sum.low : null)),
      raw: nothing,
      center,
    }
  }
  return { values: points, second: nothing, raw: nothing, center }
}

/** The band behind the points that the limits come from. */
export function drawBaseline(
  plot: uPlot,
  chart: ControlChartAnswer,
  colors: PlotColors,
  label: string,
): void {
  const last = chart.points.findLastIndex((point) => point.phase === 'baseline')
  if (last < 0) return
  const { ctx, bbox } = plot
  const right =
    last === chart.points.length - 1 ? bbox.left + bbox.width : plot.valToPos(last + 0.5, 'x', true)
  ctx.save()
  ctx.fillStyle = colors.band
  ctx.fillRect(bbox.left, bbox.top, right - bbox.left, bbox.height)
  ctx.fillStyle = colors.muted
  ctx.font = scaled(colors.font, 12)
  ctx.textBaseline = 'top'
  ctx.fillText(label, bbox.left + 8 * devicePixelRatio, bbox.top + 6 * devicePixelRatio, right - bbox.left)
  ctx.restore()
}

/** A point out of control, in px. */
export interface Sign {
  x: number
  y: number
  isBelow: boolean
  code: string
}

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Half the width of a triangle, in px of the stylesheet; every other size of a sign follows from it. */
const TRIANGLE_PX = 6
/** Between two labels, so that they are not read as one word. */
const LABEL_GAP_PX = 12

/**
 * The signs with room for their label: it hides neither a triangle nor a point nor another label. In a dense run these
 * are its peaks; the list below the chart names all of them. `points`
 * are those of the line, `widthOf` is the width of a label, and `unit` a px of the stylesheet; lengths are in px of the drawing.
 */
export function signsWithRoom(
  signs: readonly Sign[],
  points: readonly { x: number; y: number }[],
  widthOf: (code: string) => number,
  unit = 1,
): Sign[] {
  const size = TRIANGLE_PX * unit
  const triangles = signs.map((sign) => boxAt(sign, 2 * size, size * 0.9, size * 2.6))
  const dot = 3 * unit
  const dots = points.map(({ x, y }) => ({ left: x - dot, right: x + dot, top: y - dot, bottom: y + dot }))
  const labels: Box[] = []
  return signs.filter((sign, index) => {
    const width = widthOf(sign.code)
    const label = boxAt(sign, width, size * 3, size * 5)
    const wide = boxAt(sign, width + 2 * LABEL_GAP_PX * unit, size * 3, size * 5)
    const isFree =
      !triangles.some((box, other) => other !== index && meet(box, label)) &&
      !dots.some((box) => meet(box, label)) &&
      !labels.some((box) => meet(box, wide))
    if (isFree) labels.push(label)
    return isFree
  })
}

/** A box around the column of a sign, `near` to `far` px away from its point. */
function boxAt({ x, y, isBelow }: Sign, width: number, near: number, far: number): Box {
  return {
    left: x - width / 2,
    right: x + width / 2,
    top: isBelow ? y + near : y - far,
    bottom: isBelow ? y + far : y - near,
  }
}

function meet(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

/** A triangle above or below each point out of control, and where there is room the code of its first rule. */
export function drawSignals(
  plot: uPlot,
  chart: ControlChartAnswer,
  line: ControlLine,
  colors: PlotColors,
  codes: Readonly<Record<string, string>>,
): void {
  const { ctx } = plot
  const size = TRIANGLE_PX * devicePixelRatio
  const placed = (value: number, index: number) => ({
    x: plot.valToPos(index, 'x', true),
    y: plot.valToPos(value, 'y', true),
  })
  const signs = chart.points.flatMap((point, index): Sign[] => {
    const rule = point.signals[0]
    if (rule === undefined) return []
    const value = (rule === 'cusum_low' ? line.second[index] : line.values[index]) ?? point.value
    const place = placed(value, index)
    // Under the lowest points there is only the axis: their signs stand above them.
    const hasRoom = place.y + size * 5 <= plot.bbox.top + plot.bbox.height
    const isBelow = hasRoom && value < (line.center[index] ?? value)
    return [{ ...place, isBelow, code: codes[rule] ?? rule }]
  })
  const points = line.values.flatMap((value, index) => (value === null ? [] : [placed(value, index)]))
  ctx.save()
  ctx.fillStyle = colors.two
  ctx.font = `700 ${scaled(colors.font, 12)}`
  ctx.textAlign = 'center'
  for (const { x, y, isBelow } of signs) {
    const away = (isBelow ? 1 : -1) * size
    ctx.beginPath()
    ctx.moveTo(x, y + away * 0.9)
    ctx.lineTo(x - size, y + away * 2.6)
    ctx.lineTo(x + size, y + away * 2.6)
    ctx.closePath()
    ctx.fill()
  }
  // The line may pass behind a label: an edge of the background keeps it readable.
  ctx.strokeStyle = colors.surface
  ctx.lineJoin = 'round'
  ctx.lineWidth = 3 * devicePixelRatio
  const widthOf = (code: string) => ctx.measureText(code).width
  for (const { x, y, isBelow, code } of signsWithRoom(signs, points, widthOf, devicePixelRatio)) {
    ctx.textBaseline = isBelow ? 'top' : 'bottom'
    const top = y + (isBelow ? 1 : -1) * size * 3
    ctx.strokeText(code, x, top)
    ctx.fillText(code, x, top)
  }
  ctx.restore()
}

function scaled(font: string, px: number): string {
  return font.replace(/^\d+px/, `${px * devicePixelRatio}px`)
}
