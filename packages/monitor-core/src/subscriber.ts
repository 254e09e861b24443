/**
 * Keeps the server's subscription equal to what the handlers want.
 *
 * Rule 1: one command at a time; the next waits for the answer, so that it can name the right start.
 * Rule 2: changes of one moment become one command.
 */

import { formatCursor, type Cursor } from './cursor'
import type { Environment } from './environment'
import type { Command, Connected, ServerError, ServerGap, SnapshotPage, Subscribed } from './messages'
import type { Gap, Start, Subscriptions } from './subscriptions'
import { isNothing, isSame, keysOf, NOTHING_WANTED, type Wants } from './wants'

/** Milliseconds within which a command has to be answered. */
const ANSWER_TIMEOUT_MS = 10_000
/** Seconds before a command is repeated that the server refused for now without saying for how long. */
const RETRY_AFTER_S = 1

export class Subscriber {
  readonly #subscriptions: Subscriptions
  readonly #environment: Environment
  readonly #send: (command: Command) => void
  readonly #onStuck: () => void
  #isOpen = false
  #knowsCursors = false
  #isScheduled = false
  /** What the last command asked for. */
  #asked: Wants = NOTHING_WANTED
  /** Id of the command that waits for its answer. */
  #pending: string | null = null
  #commands = 0
  #timer: unknown = null
  #isCatchingUp = false
  #isRefused = false

  /** `onStuck`: a command was not answered in time; the connection is of no use. */
  constructor(
    subscriptions: Subscriptions,
    environment: Environment,
    send: (command: Command) => void,
    onStuck: () => void,
  ) {
    this.#subscriptions = subscriptions
    this.#environment = environment
    this.#send = send
    this.#onStuck = onStuck
  }

  /** Whether events that were asked for by a start are still coming. */
  get isCatchingUp(): boolean {
    return this.#isCatchingUp
  }

  /** Whether the server will not send what is wanted. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /** Returns what was lost meanwhile, as far as the greeting tells. */
  opened(connected: Connected): Gap | null {
    this.closed()
    this.#isOpen = true
    this.#knowsCursors = connected.epoch !== null
    const gap = this.#subscriptions.connected(connected)
    this.#update()
    return gap
  }

  closed(): void {
    this.#isOpen = false
    this.#asked = NOTHING_WANTED
    this.#pending = null
    this.#isCatchingUp = false
    this.#isRefused = false
    this.#clearTimer()
  }

  /** Handlers came or went. */
  changed(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#update()
    })
  }

  /** Returns the loss that the answer tells of. */
  answered(answer: Subscribed): Gap | null {
    const gap = this.#subscriptions.subscribed(answer)
    // A snapshot comes with `recovered` null, and is followed by `caught_up` all the same.
    if (answer.recovered !== true && !this.#subscriptions.isFilling) this.#isCatchingUp = false
    if (answer.id === null || answer.id === this.#pending) {
      this.#pending = null
      this.#isRefused = false
      this.#clearTimer()
      this.#update()
    }
    return gap
  }

  refused(error: ServerError): void {
    if (error.id === null || error.id !== this.#pending) return
    this.#pending = null
    this.#isCatchingUp = false
    this.#clearTimer()
    this.#isRefused = !error.temporary
    if (!error.temporary) return
    this.#timer = this.#environment.setTimer(
      () => {
        this.#subscriptions.askAgain()
        this.#update()
      },
      (error.retryAfter ?? RETRY_AFTER_S) * 1000,
    )
  }

  caughtUp(): void {
    this.#isCatchingUp = false
  }

  /** The server tells of a loss. Returns it, where it is none that was told already. */
  lost(gap: ServerGap): Gap | null {
    const loss = this.#subscriptions.lost(gap)
    this.#update()
    return loss
  }

  /** A page of a snapshot. Changes of handlers have waited for the last. */
  filled(page: SnapshotPage): void {
    this.#subscriptions.filled(page)
    if (page.isLast) this.#update()
  }

  #update(): void {
    const { wanted, since, start, hasWaiting, isFilling, isStrict } = this.#subscriptions
    if (!this.#isOpen || this.#pending !== null || isFilling || (isSame(wanted, this.#asked) && !hasWaiting))
      return
    const id = `s${++this.#commands}`
    this.#asked = wanted
    this.#pending = id
    this.#subscriptions.asking(start)
    this.#clearTimer()
    this.#timer = this.#environment.setTimer(this.#onStuck, ANSWER_TIMEOUT_MS)
    if (isNothing(wanted)) {
      this.#send({ action: 'unsubscribe', id })
      return
    }
    const begin = this.#beginOf(start, since)
    this.#isCatchingUp ||= Object.keys(begin).length > 0
    this.#send({ action: 'subscribe', ...keysOf(wanted), ...begin, ...(isStrict && { strict: true }), id })
  }

  #beginOf(start: Start | null, since: Cursor | null): Start | { since?: string } {
    if (!this.#knowsCursors) return {}
    if (start !== null) return start
    return since === null ? {} : { since: formatCursor(since) }
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#environment.clearTimer(this.#timer)
    this.#timer = null
  }
}
