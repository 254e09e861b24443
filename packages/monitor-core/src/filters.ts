/** Sets of categories as bit masks: a union is `|`, and whether one set covers another is one comparison. */

import type { Category, Filter } from './messages'

/** The categories in their published order. */
export const CATEGORIES: readonly Category[] = ['job', 'pattern', 'material', 'metrics']
export const FILTERS: readonly Filter[] = [...CATEGORIES, 'all']

/** A set of categories; bit `i` stands for `CATEGORIES[i]`. */
export type Mask = number

export const NOTHING: Mask = 0
export const EVERYTHING: Mask = (1 << CATEGORIES.length) - 1

/**
 * The set these filters name. Left out they name everything, an empty list names nothing.
 *
 * @throws TypeError naming the filter that is not one
 */
export function maskOf(filters?: readonly string[]): Mask {
  if (filters === undefined) return EVERYTHING
  return filters.reduce((mask, filter) => mask | bitOf(filter), NOTHING)
}

/** The names of a set, in their published order; `['all']` when nothing is left out. */
export function filtersOf(mask: Mask): Filter[] {
  return mask === EVERYTHING ? ['all'] : CATEGORIES.filter((_, index) => mask & (1 << index))
}

/** Whether everything in `inner` is also in `outer`. */
export function covers(outer: Mask, inner: Mask): boolean {
  return (outer & inner) === inner
}

/** Whether an event of this category belongs to the set. */
export function includes(mask: Mask, category: Category): boolean {
  return (mask & (1 << CATEGORIES.indexOf(category))) !== 0
}

/** The category of an event type; null when its first part is none. */
export function categoryOf(type: string): Category | null {
  const colon = type.indexOf(':')
  if (colon < 0 || colon === type.length - 1) return null
  const name = type.slice(0, colon)
  return CATEGORIES.find((category) => category === name) ?? null
}

export function isFilter(name: unknown): name is Filter {
  return FILTERS.some((filter) => filter === name)
}

function bitOf(filter: string): Mask {
  if (!isFilter(filter)) {
    throw new TypeError(`unknown filter ${JSON.stringify(filter)}; expected one of ${FILTERS.join(', ')}`)
  }
  return filter === 'all' ? EVERYTHING : 1 << CATEGORIES.indexOf(filter)
}
