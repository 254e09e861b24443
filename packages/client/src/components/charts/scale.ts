/** From numbers to places on the screen, and the round numbers beside an axis. */

export type Scale = (value: number) => number

/** A straight scale from `[from, to]` to `[start, end]` px. A domain without extent is put in the middle. */
export function linear(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
): Scale {
  const extent = to - from
  return (value) => (extent === 0 ? (start + end) / 2 : start + ((value - from) / extent) * (end - start))
}

/** A scale on which equal ratios are equal distances; the domain is positive. */
export function logarithmic([from, to]: readonly [number, number], range: readonly [number, number]): Scale {
  const straight = linear([Math.log(from), Math.log(to)], range)
  return (value) => straight(Math.log(value))
}

/** Round numbers from at or below `from` to at or above `to`, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks(from: number, to: number, count: number): number[] {
  if (!Number.isFinite(from) || !Number.isFinite(to)) return []
  if (from === to) return ticks(from === 0 ? 0 : Math.min(0, from), from === 0 ? 1 : Math.max(0, from), count)
  const step = roundStep((to - from) / Math.max(1, count))
  const first = Math.floor(from / step + 1e-9)
  const last = Math.ceil(to / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => tidy((first + index) * step))
}

/** Ticks of counts: whole numbers only. */
export function wholeTicks(to: number, count: number): number[] {
  const most = Math.max(1, Math.ceil(to))
  const found = ticks(0, most, count)
  return found.every(Number.isInteger) ? found : Array.from({ length: most + 1 }, (_, index) => index)
}

/** Every nth of `n` labels, so that each has `room` px of `width`. */
export function everyNth(n: number, width: number, room: number): number {
  return Math.max(1, Math.ceil((n * room) / Math.max(1, width)))
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = rough / power
  return (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10) * power
}

/** Without the noise that multiplying a decimal step leaves in the last digits. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}
