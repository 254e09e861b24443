/**
 * Who hears what, and from where.
 *
 * The server knows one subscription a connection: the union of all handlers' filters. Filters change while events are
 * under way, so each handler has a position of its own: the last place in the log up to which it has seen everything
 * it asked for.
 *
 * Rule 1: a handler is *fed* only after the server confirmed a subscription that covers all its filters and starts no
 *         later than its position. (Fed earlier, it would see event 102 of an old category, move on, and drop event 101
 *         of a new category when the new subscription brings it.)
 * Rule 2: an event at or before the handler's position is dropped; every other one that its filters want is delivered.
 * Rule 3: every event, wanted or not, and every heartbeat moves all fed handlers on.
 * Rule 4: a new subscription starts after the *least* position of all handlers. Who is further drops by rule 2.
 * Rule 5: a handler that comes later starts where the connection stands; the first one where the tab last stood, else live.
 *
 * So each handler sees its filter of the log once and in order, whatever others subscribe to meanwhile.
 */

import { parseCursor, type Cursor } from './cursor'
import { covers, includes, maskOf, NOTHING, type Mask } from './filters'
import type { Connected, MonitorEvent, Subscribed } from './messages'

export type EventHandler = (event: MonitorEvent) => void

/** A loss that cannot be made good: what lies between the two places was not seen. */
export interface Gap {
  /** `epoch_changed`, `expired`, `future_cursor`, … */
  readonly reason: string
  /** The last place that was seen; null when the server told of the loss and nothing is known. */
  readonly from: Cursor | null
  /** Where it goes on. */
  readonly to: Cursor | null
}

/** One handler. It belongs to its consumer, who may take it from one connection to the next. */
export interface Subscription {
  readonly mask: Mask
  readonly handler: EventHandler
  /** Gets what the handler throws. */
  readonly onError: (error: unknown) => void
  /** How many events before the head of the log it still wants to go back; 0 once that is settled. */
  last: number
  /** See above; null: nothing seen yet. */
  position: Cursor | null
}

/** Where a handler stands with the server: not asked for yet, asked for, or being sent what it wants (rule 1). */
type Stage = 'waiting' | 'asked' | 'fed'

export class Subscriptions {
  readonly #members = new Map<Subscription, Stage>()
  /** What the server sends on the present connection. */
  #active: Mask = NOTHING
  /** The furthest place that was applied here. */
  #position: Cursor | null
  #head: { readonly epoch: string; readonly offset: number; readonly oldest: number } | null = null

  /** `position`: where this tab last stood, null when it has never been here. */
  constructor(position: Cursor | null) {
    this.#position = position
  }

  /** What the server is to send. */
  get wanted(): Mask {
    let mask = NOTHING
    for (const member of this.#members.keys()) mask |= member.mask
    return mask
  }

  /** Whether some handler is not asked for yet. */
  get hasWaiting(): boolean {
    return [...this.#members.values()].includes('waiting')
  }

  /** Place after which the next subscription has to start; null: live. */
  get since(): Cursor | null {
    let least: Cursor | null = null
    for (const { position } of this.#members.keys()) {
      if (position !== null && (least === null || position.offset < least.offset)) least = position
    }
    return least
  }

  /** What is worth remembering for the next page: going on from here misses nothing. */
  get resumePoint(): Cursor | null {
    return this.#members.size === 0 ? this.#position : this.since
  }

  /** Take a handler in. Returns the loss when its place is in another log than the one heard here. */
  add(member: Subscription): Gap | null {
    const from = member.position
    if (from === null || (this.#position !== null && from.epoch !== this.#position.epoch)) {
      member.position = this.#position
    }
    this.#goBack(member)
    const isLevel =
      member.position === null || (this.#position !== null && isSeen(this.#position, member.position))
    this.#members.set(member, isLevel && this.#isActiveFor(member) ? 'fed' : 'waiting')
    if (from === null || from.epoch === member.position?.epoch) return null
    return { reason: 'epoch_changed', from, to: member.position }
  }

  remove(member: Subscription): void {
    this.#members.delete(member)
  }

  /** A new connection: nothing is subscribed yet. */
  connected({ epoch, offset, oldest }: Connected): void {
    this.#active = NOTHING
    this.#head = epoch === null || offset === null ? null : { epoch, offset, oldest: oldest ?? 1 }
    for (const member of this.#members.keys()) {
      this.#members.set(member, 'waiting')
      this.#goBack(member)
    }
  }

  /** A command that asks for all present handlers is being sent. */
  asking(): void {
    for (const [member, stage] of this.#members) if (stage === 'waiting') this.#members.set(member, 'asked')
  }

  /** The command was refused for now: ask again. */
  askAgain(): void {
    for (const [member, stage] of this.#members) if (stage === 'asked') this.#members.set(member, 'waiting')
  }

  /** The server confirms a subscription. Returns the loss when it could not start where it was asked to. */
  subscribed({ filters, epoch, offset, recovered, reason }: Subscribed): Gap | null {
    this.#active = maskOf(filters)
    for (const [member, stage] of this.#members) {
      if (stage === 'asked' && this.#isActiveFor(member)) this.#members.set(member, 'fed')
      else if (stage === 'fed' && !this.#isActiveFor(member)) this.#members.set(member, 'waiting')
    }
    if (epoch === null || offset === null || recovered === true) return null
    const to = { epoch, offset }
    const from = this.since
    for (const [member, stage] of this.#members) {
      if (recovered === false || member.position === null) member.position = to
      else if (stage === 'fed') member.position = further(member.position, to)
    }
    this.#position = recovered === false ? to : further(this.#position, to)
    return recovered === false ? { reason: reason ?? 'unknown', from, to } : null
  }

  /** Hand an event to those who want it. Where a handler throws, the others still hear. */
  deliver(event: MonitorEvent): void {
    const place = event.id === null ? null : parseCursor(event.id)
    for (const [member] of [...this.#members]) {
      if (this.#members.get(member) !== 'fed') continue
      if (place !== null && isSeen(place, member.position)) continue
      if (place !== null) member.position = place
      if (!includes(member.mask, event.category)) continue
      try {
        member.handler(event)
      } catch (error) {
        member.onError(error)
      }
    }
    if (place !== null && this.#active !== NOTHING) this.#position = further(this.#position, place)
  }

  /** All that is wanted up to `offset` has been sent (a heartbeat, or the end of a replay). */
  reached(offset: number): void {
    if (this.#active === NOTHING) return
    for (const [member, stage] of this.#members) {
      if (stage === 'fed' && member.position !== null) member.position = moved(member.position, offset)
    }
    if (this.#position !== null) this.#position = moved(this.#position, offset)
  }

  #isActiveFor(member: Subscription): boolean {
    return this.#active !== NOTHING && covers(this.#active, member.mask)
  }

  /** Move a handler that wants the recent past back to where that begins, as soon as the head is known. */
  #goBack(member: Subscription): void {
    if (member.last === 0 || this.#head === null) return
    const { epoch, offset, oldest } = this.#head
    // The head was learnt when the connection was made; what was applied since is nearer to it.
    const head = this.#position?.epoch === epoch ? Math.max(offset, this.#position.offset) : offset
    const start = { epoch, offset: Math.max(0, oldest - 1, head - member.last) }
    member.last = 0
    if (member.position === null || isSeen(start, member.position)) member.position = start
  }
}

function isSeen(place: Cursor, position: Cursor | null): boolean {
  return position !== null && position.epoch === place.epoch && place.offset <= position.offset
}

/** The later of two places; one of another epoch is later than what was known before. */
function further(known: Cursor | null, place: Cursor): Cursor {
  return known !== null && isSeen(place, known) ? known : place
}

function moved(position: Cursor, offset: number): Cursor {
  return further(position, { epoch: position.epoch, offset })
}
