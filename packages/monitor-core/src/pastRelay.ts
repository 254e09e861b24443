/**
 * Looks at the past of many links over one connection: the part of `switchboard` for `state` and `replay`.
 *
 * Rule 1: the server has one state under way: states of links wait for each other.
 * Rule 2: the server has one replay: that of another link ends it, which the server tells, and only who owns it steers it.
 * Rule 3: commands get ids of the relay's own, as links do not know of each other's; answers get back the link's.
 */

import type { JsonObject, JsonValue, ReplayMessage } from './messages'

interface Call {
  readonly link: string
  /** Of the link's command. */
  readonly id: JsonValue
}

interface StateCall extends Call {
  readonly command: JsonObject
}

export interface Lines {
  /** To the server. */
  send(command: JsonObject): void
  frame(link: string, frame: string): void
}

export class PastRelay {
  readonly #lines: Lines
  /** The first is under way, under the id `#stateId`. */
  readonly #states: StateCall[] = []
  #stateId: string | null = null
  /** Commands of replays, by the relay's id: steps until they are answered, beginnings until the replay's end. */
  readonly #calls = new Map<string, Call & { readonly isBeginning: boolean }>()
  /** The link that began the newest replay: it alone steers. */
  #owner: string | null = null
  /** The link that replayed events go to. */
  #hearer: string | null = null
  #ids = 0

  constructor(lines: Lines) {
    this.#lines = lines
  }

  /** Whether the command is a look at the past, and was taken. */
  say(link: string, command: JsonObject): boolean {
    if (command.action === 'state') {
      this.#states.push({ link, id: command.id ?? null, command })
      if (this.#states.length === 1) this.#ask()
      return true
    }
    if (command.action !== 'replay') return false
    const isBeginning = command.from !== undefined
    if (!isBeginning && this.#owner !== link) return true // its replay has ended, which it was told or will be
    if (isBeginning) this.#owner = link
    const id = this.#newId()
    this.#calls.set(id, { link, id: command.id ?? null, isBeginning })
    this.#lines.send({ ...command, id })
    return true
  }

  /** The link is gone. */
  hangUp(link: string): void {
    if (this.#owner === link) {
      this.#owner = null
      this.#lines.send({ action: 'replay', stop: true, id: this.#newId() })
    }
    if (this.#hearer === link) this.#hearer = null
  }

  /** The connection is gone. */
  closed(): void {
    this.#states.length = 0
    this.#calls.clear()
    this.#stateId = this.#owner = this.#hearer = null
  }

  replayed(frame: string): void {
    if (this.#hearer !== null) this.#lines.frame(this.#hearer, frame)
  }

  told({ id, state }: ReplayMessage, frame: string): void {
    const call = this.#callOf(id)
    if (call === undefined) return
    const goesOn = call.isBeginning && (state === 'playing' || state === 'paused')
    if (goesOn) this.#hearer = call.link
    else this.#calls.delete(id ?? '')
    this.#lines.frame(call.link, withId(frame, call.id))
  }

  /** Whether the page belonged to a state. */
  filled(id: string | null, isLast: boolean, frame: string): boolean {
    const [state] = this.#states
    if (state === undefined || id === null || id !== this.#stateId) return false
    this.#lines.frame(state.link, withId(frame, state.id))
    if (isLast) this.#next()
    return true
  }

  /** Whether the error answered a look at the past. */
  refused(id: string | null, frame: string): boolean {
    const [state] = this.#states
    if (state !== undefined && id !== null && id === this.#stateId) {
      this.#lines.frame(state.link, withId(frame, state.id))
      this.#next()
      return true
    }
    const call = this.#callOf(id)
    if (call === undefined) return false
    this.#calls.delete(id ?? '')
    // A replay that could not begin has ended none: whose runs still steers it.
    if (call.isBeginning && this.#owner === call.link) this.#owner = this.#hearer
    this.#lines.frame(call.link, withId(frame, call.id))
    return true
  }

  #callOf(id: string | null) {
    return id === null ? undefined : this.#calls.get(id)
  }

  #next(): void {
    this.#states.shift()
    this.#stateId = null
    this.#ask()
  }

  #ask(): void {
    const [state] = this.#states
    if (state === undefined) return
    this.#stateId = this.#newId()
    this.#lines.send({ ...state.command, id: this.#stateId })
  }

  #newId(): string {
    return `r${++this.#ids}`
  }
}

/** The frame with the id that the link gave to its command. */
export function withId(frame: string, id: JsonValue | undefined): string {
  const { data, ...rest } = JSON.parse(frame) as JsonObject // `decode` made sure
  return JSON.stringify({ ...rest, data: { ...(data as JsonObject), id: id ?? null } })
}
