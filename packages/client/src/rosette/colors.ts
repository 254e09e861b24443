/** Colours of wood, shell and fibre for drawing. A strip's own colour comes first, then its species. */

import type { Strip } from '@/api/types'

/** By species, as the wood looks when finished. */
export const SPECIES_COLORS: Readonly<Record<string, string>> = {
  maple: '#e8cfa0',
  holly: '#f3ead6',
  spruce: '#ecd9ae',
  cedar: '#b9784a',
  mahogany: '#8e4a2f',
  walnut: '#6b4630',
  rosewood: '#4d2a22',
  ebony: '#241f1d',
  padauk: '#a8402a',
  purpleheart: '#6a3a5c',
  bloodwood: '#8f2d24',
  koa: '#a9703c',
  pear: '#d0a07c',
  boxwood: '#e0c074',
  abalone: '#4f9d9a',
  'mother of pearl': '#e4e6ea',
  bone: '#efe6d2',
  black: '#242321',
  white: '#f2eee4',
  red: '#a6362b',
  green: '#3f6b4a',
  blue: '#34577f',
  brown: '#6b4630',
}

const HEX = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i

/** The colour to draw a strip in; null when nothing tells. */
export function colorOf(strip: Pick<Strip, 'color' | 'material'>): string | null {
  if (strip.color && HEX.test(strip.color)) return strip.color
  return speciesColor(strip.color) ?? speciesColor(strip.material)
}

/** The colour of a species named in free text, e.g. `Indian Rosewood`; null when it is not known. */
export function speciesColor(name: string | null | undefined): string | null {
  const words = name?.trim().toLowerCase()
  if (!words) return null
  const species = Object.keys(SPECIES_COLORS).find((key) => words === key || words.includes(key))
  return species ? (SPECIES_COLORS[species] ?? null) : null
}
