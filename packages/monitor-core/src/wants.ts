/** What a handler, a page or all tabs together want to hear, and how such wishes add up. */

import { EVERYTHING, filtersOf, includes, isFilter, maskOf, NOTHING, type Mask } from './filters'
import type { JsonObject, JsonValue, MonitorEvent, SubscribeCommand } from './messages'

/** An event is wanted when its category is in the mask, and one of its channels and its type are asked for. */
export interface Wants {
  readonly mask: Mask
  /** `machine:cnc1`, or `machine:*` for all of a namespace; null does not narrow. */
  readonly channels: readonly string[] | null
  /** Exact types; null does not narrow. */
  readonly types: readonly string[] | null
  /** Whether of several updates of one thing the latest is enough. */
  readonly latest: boolean
}

export const NOTHING_WANTED: Wants = { mask: NOTHING, channels: null, types: null, latest: false }

export const EVERYTHING_WANTED: Wants = { ...NOTHING_WANTED, mask: EVERYTHING }

/** Names that one subscription may list (PROTOCOL.md SUB-05); beyond it asks for all, and each handler picks. */
const MAX_NAMES = 100

export function isNothing({ mask, channels, types }: Wants): boolean {
  return mask === NOTHING || channels?.length === 0 || types?.length === 0
}

/** The least wish that fulfils all of them. */
export function unionOf(all: Iterable<Wants>): Wants {
  const wishes = [...all].filter((wants) => !isNothing(wants))
  if (wishes.length === 0) return NOTHING_WANTED
  return {
    mask: wishes.reduce((mask, wants) => mask | wants.mask, NOTHING),
    channels: joined(wishes.map(({ channels }) => channels)),
    types: joined(wishes.map(({ types }) => types)),
    latest: wishes.every(({ latest }) => latest),
  }
}

/** Whether who is sent what `outer` wants is sent all that `inner` wants. */
export function covers(outer: Wants, inner: Wants): boolean {
  if (isNothing(inner)) return true
  if (isNothing(outer) || (outer.mask & inner.mask) !== inner.mask) return false
  if (outer.latest && !inner.latest) return false
  return (
    isWithin(inner.channels, outer.channels, matchesChannel) &&
    isWithin(inner.types, outer.types, (asked, type) => asked === type)
  )
}

export function hears({ mask, channels, types }: Wants, event: MonitorEvent): boolean {
  if (!includes(mask, event.category)) return false
  if (types !== null && !types.includes(event.type)) return false
  return isHeardOn(channels, event.channels)
}

/** Whether one of the channels is asked for. */
export function isHeardOn(asked: readonly string[] | null, channels: readonly string[]): boolean {
  return asked === null || asked.some((each) => channels.some((channel) => matchesChannel(each, channel)))
}

export function isSame(a: Wants, b: Wants): boolean {
  return a.latest === b.latest && covers(a, b) && covers(b, a)
}

/** The keys of a `subscribe` that ask for it; those of version 2 only where they say something. */
export function keysOf(wants: Wants): Pick<SubscribeCommand, 'filters' | 'channels' | 'types' | 'mode'> {
  if (isNothing(wants)) return { filters: [] }
  const { mask, channels, types, latest } = wants
  return {
    filters: filtersOf(mask),
    ...(channels !== null && { channels }),
    ...(types !== null && { types }),
    ...(latest && { mode: 'latest' }),
  }
}

/** What a command asks for; it was made by `encode`, so nothing in it is wrong. */
export function wantsOf({ action, filters, channels, types, mode }: JsonObject): Wants {
  if (action !== 'subscribe') return NOTHING_WANTED
  return {
    mask: maskOf(textsOf(filters)?.filter(isFilter)),
    channels: textsOf(channels) ?? null,
    types: textsOf(types) ?? null,
    latest: mode === 'latest',
  }
}

function textsOf(value: JsonValue | undefined): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
}

/** Whether `asked`, which may be a pattern, takes in `channel`, which may be a narrower one. */
function matchesChannel(asked: string, channel: string): boolean {
  return asked === channel || (asked.endsWith(':*') && channel.startsWith(asked.slice(0, -1)))
}

function joined(lists: readonly (readonly string[] | null)[]): string[] | null {
  const names = new Set<string>()
  for (const list of lists) {
    if (list === null) return null
    for (const name of list) names.add(name)
  }
  return names.size > MAX_NAMES ? null : [...names].sort()
}

function isWithin(
  inner: readonly string[] | null,
  outer: readonly string[] | null,
  matches: (asked: string, name: string) => boolean,
): boolean {
  if (outer === null) return true
  return inner !== null && inner.every((name) => outer.some((asked) => matches(asked, name)))
}
