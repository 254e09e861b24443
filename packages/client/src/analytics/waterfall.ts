/** OEE step by step: from all planned time to the part of it in which good pieces were made at the planned pace. */

export type StepName = 'planned' | 'availability' | 'effectiveness' | 'quality' | 'oee'

export interface WaterfallStep {
  name: StepName
  /** Shares of planned time. A total stands on 0; a change spans from what was before to what is left. */
  from: number
  to: number
  kind: 'total' | 'loss' | 'gain'
  /** The ratio that this step multiplies by; null for the totals. */
  ratio: number | null
}

/** Null where one of the three is not known: a product of guesses is no figure. */
export function waterfall(ratios: {
  availability: number | null
  effectiveness: number | null
  quality: number | null
}): WaterfallStep[] | null {
  const { availability, effectiveness, quality } = ratios
  if (availability === null || effectiveness === null || quality === null) return null
  const steps: WaterfallStep[] = [{ name: 'planned', from: 0, to: 1, kind: 'total', ratio: null }]
  let left = 1
  for (const [name, ratio] of [
    ['availability', availability],
    ['effectiveness', effectiveness],
    ['quality', quality],
  ] as const) {
    const next = left * ratio
    steps.push({ name, from: left, to: next, kind: next > left ? 'gain' : 'loss', ratio })
    left = next
  }
  steps.push({ name: 'oee', from: 0, to: left, kind: 'total', ratio: null })
  return steps
}
