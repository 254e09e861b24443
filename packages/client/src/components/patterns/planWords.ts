/** The plan of a pattern in words. */

import type { Plan, PlanWarning } from '@/api/plan'
import { MAX_ROSETTES } from '@/api/plan'
import { t } from '@/i18n'

const words = t.patterns.plan
const RING = /^\/geometry\/rings\/(\d+)/

/** How many rosettes somebody typed; null where that is no number the server plans. */
export function rosettesIn(text: string): number | null {
  const n = /^\d+$/.test(text.trim()) ? Number(text) : 0
  return n >= 1 && n <= MAX_ROSETTES ? n : null
}

/** One line each; the same said of several rings is said once, and what the page shows by itself not at all. */
export function warningLines(warnings: readonly PlanWarning[]): string[] {
  const lines = new Map<string, string>()
  const rings = new Map<string, number[]>()
  for (const { code, pointer, message } of warnings) {
    if (SHOWN.has(code)) continue
    const ring = RING.exec(pointer)?.[1]
    const ofRings = words.ofRings[code]
    if (ring === undefined || ofRings === undefined) {
      lines.set(`${code} ${pointer}`, sentence(message))
      continue
    }
    const found = [...(rings.get(code) ?? []), Number(ring) + 1]
    rings.set(code, found)
    lines.set(code, ofRings(words.ringList(found), found.length === 1))
  }
  return [...lines.values()]
}

/** Fragile rings and too little stock have places of their own; without rings the page says nothing else. */
const SHOWN: ReadonlySet<string> = new Set(['fragile', 'not_enough_stock', 'no_rings'])

export function fragileLines(rings: Plan['rings']): string[] {
  return rings.flatMap(({ index, fragility, fragile_by }) =>
    fragility === null || fragility === 'low'
      ? []
      : [
          words.fragileRing(
            index + 1,
            words.levels[fragility].toLowerCase(),
            fragile_by.map((reason) => words.reasons[reason] ?? reason).join(', '),
          ),
        ],
  )
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}
