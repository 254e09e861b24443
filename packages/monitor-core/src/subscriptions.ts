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
 * Rule 5: a start in time and a snapshot have a place that only the server knows. They are asked for one at a time, and
 *         who stood before that place is not fed until the next subscription brings the rest.
 * Rule 6: a handler that comes later starts where the connection stands; the first one where the tab last stood, else live.
 *
 * So each handler sees its filter of the log once and in order, whatever others subscribe to meanwhile.
 */

import { parseCursor, type Cursor } from './cursor'
import { includes, maskOf } from './filters'
import type {
  Category,
  Connected,
  JsonObject,
  MonitorEvent,
  ServerGap,
  Snapshot,
  SnapshotPage,
  Subscribed,
} from './messages'
import { covers, hears, isHeardOn, isNothing, NOTHING_WANTED, unionOf, type Wants } from './wants'

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

/** A start that is no place in the log yet, as `subscribe` says it. */
export type Start = { readonly from_time: string } | { readonly snapshot: true }

/** One handler. It belongs to its consumer, who may take it from one connection to the next. */
export interface Subscription {
  readonly wants: Wants
  readonly handler: EventHandler
  /** Gets what the handler throws. */
  readonly onError: (error: unknown) => void
  /** How many events before the head of the log it still wants to go back; 0 once that is settled. */
  last: number
  /** A start whose place only the server knows; null once that is known, and with a snapshot once that is here. */
  start: Start | null
  /** Gets the entities as they are, before the first event and after each loss; null: not asked for. */
  readonly onSnapshot: ((snapshot: Snapshot) => void) | null
  /** Whether to be refused rather than to begin later than asked. */
  readonly isStrict: boolean
  /** See above; null: nothing seen yet. */
  position: Cursor | null
}

/** Where a handler stands with the server: not asked for yet, asked for, or being sent what it wants (rule 1). */
type Stage = 'waiting' | 'asked' | 'fed'

export class Subscriptions {
  readonly #members = new Map<Subscription, Stage>()
  /** What the server sends on the present connection. */
  #active: Wants = NOTHING_WANTED
  /** What the command asked for that is not answered yet. */
  #asked: { readonly wants: Wants; readonly start: Start | null } | null = null
  /** The pages of the snapshot that is on its way. */
  #filling: SnapshotPage[] | null = null
  /** The furthest place that was applied here. */
  #position: Cursor | null
  #head: { readonly epoch: string; readonly offset: number; readonly oldest: number } | null = null

  /** `position`: where this tab last stood, null when it has never been here. */
  constructor(position: Cursor | null) {
    this.#position = position
  }

  /** What the server is to send. */
  get wanted(): Wants {
    return unionOf([...this.#members.keys()].map(({ wants }) => wants))
  }

  /** Whether nobody would take less than was asked for. */
  get isStrict(): boolean {
    return [...this.#members.keys()].every((member) => member.isStrict)
  }

  /** A start whose place is not known yet. */
  get start(): Start | null {
    for (const [{ start }, stage] of this.#members) if (start !== null && stage !== 'fed') return start
    return null
  }

  /** Whether a snapshot is on its way; another subscription would end it. */
  get isFilling(): boolean {
    return this.#filling !== null
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
    if (
      member.start === null &&
      (from === null || (this.#position !== null && from.epoch !== this.#position.epoch))
    ) {
      member.position = this.#position
    }
    this.#goBack(member)
    const isLevel =
      member.start === null &&
      (member.position === null || (this.#position !== null && isSeen(this.#position, member.position)))
    this.#members.set(member, isLevel && this.#isActiveFor(member) ? 'fed' : 'waiting')
    if (from === null || from.epoch === member.position?.epoch) return null
    return { reason: 'epoch_changed', from, to: member.position }
  }

  remove(member: Subscription): void {
    this.#members.delete(member)
  }

  /** A new connection: nothing is subscribed yet. */
  connected({ epoch, offset, oldest }: Connected): Gap | null {
    this.#active = NOTHING_WANTED
    this.#asked = null
    this.#filling = null
    this.#head = epoch === null || offset === null ? null : { epoch, offset, oldest: oldest ?? 1 }
    for (const member of this.#members.keys()) {
      this.#members.set(member, 'waiting')
      this.#goBack(member)
      // A server of version 1 has no past to start in.
      if (epoch === null) member.start = null
    }
    return this.#head === null ? null : this.#skipForgotten(this.#head)
  }

  /** A command that asks for all present handlers is being sent; those that start otherwise wait. */
  asking(start: Start | null): void {
    this.#asked = { wants: this.wanted, start }
    for (const [member, stage] of this.#members) {
      const isMeant = member.start === null || isSameStart(member.start, start)
      if (stage === 'waiting' && isMeant) this.#members.set(member, 'asked')
    }
  }

  /** The command was refused for now: ask again. */
  askAgain(): void {
    this.#asked = null
    for (const [member, stage] of this.#members) if (stage === 'asked') this.#members.set(member, 'waiting')
  }

  /** The server confirms a subscription. Returns the loss when it could not start where it was asked to. */
  subscribed(answer: Subscribed): Gap | null {
    const { epoch, offset, recovered, reason } = answer
    const start = this.#asked?.start ?? null
    this.#active = this.#asked?.wants ?? sentBy(answer)
    this.#asked = null
    const to = epoch === null || offset === null ? null : { epoch, offset }
    const begin = to !== null && start !== null ? beginOf(answer, to) : null
    if (begin !== null) this.#settleStart(start, begin, to)
    this.#filling = begin !== null && start !== null && 'snapshot' in start ? [] : null
    for (const [member, stage] of this.#members) {
      const isActive = this.#isActiveFor(member)
      const isBehind = isBefore(member.position, begin)
      if (stage === 'asked' && isActive) this.#members.set(member, isBehind ? 'waiting' : 'fed')
      else if (stage === 'fed' && (!isActive || isBehind)) this.#members.set(member, 'waiting')
    }
    if (to === null || recovered === true) return null
    const from = this.since
    for (const [member, stage] of this.#members) {
      if (recovered === false || member.position === null) member.position = to
      else if (stage === 'fed') member.position = further(member.position, to)
    }
    this.#position = recovered === false ? to : further(this.#position, to)
    return recovered === false ? this.#loss({ reason: reason ?? 'unknown', from, to }) : null
  }

  /** Some of a snapshot; with the last page those who asked for it have it. */
  filled(page: SnapshotPage): void {
    if (this.#filling === null) return
    this.#filling.push(page)
    if (!page.isLast) return
    const pages = this.#filling
    this.#filling = null
    const snapshot = joinPages(page, pages)
    for (const [member, stage] of [...this.#members]) {
      if (stage !== 'fed' || member.start === null) continue
      member.start = null
      try {
        member.onSnapshot?.(partOf(snapshot, member.wants))
      } catch (error) {
        member.onError(error)
      }
    }
  }

  /** The server tells of a loss. Returns it, unless it was told already (PROTOCOL.md CLI-07). */
  lost({ from, to, reason }: ServerGap): Gap | null {
    const position = this.since ?? this.#position
    if (position === null || from === null || to === null) return this.#loss({ reason, from: null, to: null })
    if (to <= position.offset) return null
    const place = (offset: number) => ({ epoch: position.epoch, offset })
    return this.#loss({ reason, from: place(from - 1), to: place(to) })
  }

  /** Who began with a snapshot begins anew; the loss is one for the others. */
  #loss(gap: Gap): Gap | null {
    for (const member of this.#members.keys()) {
      if (member.onSnapshot === null) continue
      member.start = { snapshot: true }
      this.#members.set(member, 'waiting')
    }
    const isHealed =
      this.#members.size > 0 && [...this.#members.keys()].every(({ onSnapshot }) => onSnapshot !== null)
    return isHealed ? null : gap
  }

  /** Hand an event to those who want it. Where a handler throws, the others still hear. */
  deliver(event: MonitorEvent): void {
    const place = event.id === null ? null : parseCursor(event.id)
    for (const [member] of [...this.#members]) {
      if (this.#members.get(member) !== 'fed') continue
      if (place !== null && isSeen(place, member.position)) continue
      if (place !== null) member.position = place
      if (!hears(member.wants, event)) continue
      try {
        member.handler(event)
      } catch (error) {
        member.onError(error)
      }
    }
    if (place !== null && !isNothing(this.#active)) this.#position = further(this.#position, place)
  }

  /** All that is wanted up to `offset` has been sent (a heartbeat, or the end of a replay). */
  reached(offset: number): void {
    if (isNothing(this.#active)) return
    for (const [member, stage] of this.#members) {
      if (stage === 'fed' && member.position !== null) member.position = moved(member.position, offset)
    }
    if (this.#position !== null) this.#position = moved(this.#position, offset)
  }

  #isActiveFor(member: Subscription): boolean {
    return !isNothing(this.#active) && covers(this.#active, member.wants)
  }

  /** The place of a start is known: it is that of those who asked for it; who wants the present has it from `to` on. */
  #settleStart(start: Start | null, begin: Cursor, to: Cursor | null): void {
    for (const [member, stage] of this.#members) {
      if (stage === 'asked' && member.start !== null && isSameStart(member.start, start)) {
        // A snapshot that is cut off has to be asked for again.
        if (!('snapshot' in member.start)) member.start = null
        member.position = begin
      } else if (member.start === null) {
        member.position ??= to
      }
    }
    this.#position ??= to
  }

  /** What the log no longer keeps cannot be had: go on with the first that it has. Returns the loss. */
  #skipForgotten({ epoch, oldest }: { epoch: string; oldest: number }): Gap | null {
    const from = this.since
    const to = { epoch, offset: oldest - 1 }
    if (!isBefore(from, to)) return null
    for (const member of this.#members.keys()) if (isBefore(member.position, to)) member.position = to
    this.#position = further(this.#position, to)
    return this.#loss({ reason: 'expired', from, to })
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

/** Whether the place lies before another of the same log. */
function isBefore(place: Cursor | null, other: Cursor | null): boolean {
  return place !== null && other !== null && place.epoch === other.epoch && place.offset < other.offset
}

/** The place after which a start sends everything. */
function beginOf({ recovered, replay }: Subscribed, head: Cursor): Cursor {
  return recovered === true && replay !== null ? { ...head, offset: replay.from - 1 } : head
}

function isSameStart(a: Start, b: Start | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The whole that pages of one place make. */
export function joinPages({ at, time }: Snapshot, pages: readonly Snapshot[]): Snapshot {
  return {
    at,
    time,
    patterns: pages.flatMap(({ patterns }) => patterns),
    joblogs: pages.flatMap(({ joblogs }) => joblogs),
    stripFamilies: pages.flatMap(({ stripFamilies }) => stripFamilies),
  }
}

/** What a handler wants of a snapshot that was made for all. */
function partOf(snapshot: Snapshot, { mask, channels }: Wants): Snapshot {
  const part = (category: Category, entities: readonly JsonObject[]) =>
    includes(mask, category) ? entities.filter((entity) => isHeardOn(channels, channelsOf(entity))) : []
  return {
    at: snapshot.at,
    time: snapshot.time,
    patterns: part('pattern', snapshot.patterns),
    joblogs: part('job', snapshot.joblogs),
    stripFamilies: part('material', snapshot.stripFamilies),
  }
}

/** Where an entity is heard (PROTOCOL.md LOG-07). */
function channelsOf({ project_id, machine_id }: JsonObject): string[] {
  return [
    ...(typeof project_id === 'string' ? [`project:${project_id}`] : []),
    ...(typeof machine_id === 'string' ? [`machine:${machine_id}`] : []),
  ]
}

/** What is sent by a subscription that was not asked for here. */
function sentBy({ filters, channels, types, mode }: Subscribed): Wants {
  return { mask: maskOf(filters), channels, types, latest: mode === 'latest' }
}

/** The later of two places; one of another epoch is later than what was known before. */
function further(known: Cursor | null, place: Cursor): Cursor {
  return known !== null && isSeen(place, known) ? known : place
}

function moved(position: Cursor, offset: number): Cursor {
  return further(position, { epoch: position.epoch, offset })
}
