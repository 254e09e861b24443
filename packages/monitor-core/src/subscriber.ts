/**
 * Keeps the server's subscription equal to what the handlers want.
 *
 * Rule 1: one command at a time; the next waits for the answer, so that it can name the right start.
 * Rule 2: changes of one moment become one command.
 */

import { formatCursor } from './cursor'
import type { Environment } from './environment'
import { filtersOf, NOTHING, type Mask } from './filters'
import type { Command, Connected, ServerError, Subscribed } from './messages'
import type { Gap, Subscriptions } from './subscriptions'

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
  #asked: Mask = NOTHING
  /** Id of the command that waits for its answer. */
  #pending: string | null = null
  #commands = 0
  #timer: unknown = null
  #isCatchingUp = false

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

  opened(connected: Connected): void {
    this.closed()
    this.#isOpen = true
    this.#knowsCursors = connected.epoch !== null
    this.#subscriptions.connected(connected)
    this.#update()
  }

  closed(): void {
    this.#isOpen = false
    this.#asked = NOTHING
    this.#pending = null
    this.#isCatchingUp = false
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
    if (answer.recovered !== true) this.#isCatchingUp = false
    if (answer.id === null || answer.id === this.#pending) {
      this.#pending = null
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

  #update(): void {
    const { wanted, since, hasWaiting } = this.#subscriptions
    if (!this.#isOpen || this.#pending !== null || (wanted === this.#asked && !hasWaiting)) return
    const id = `s${++this.#commands}`
    this.#asked = wanted
    this.#pending = id
    this.#subscriptions.asking()
    this.#clearTimer()
    this.#timer = this.#environment.setTimer(this.#onStuck, ANSWER_TIMEOUT_MS)
    if (wanted === NOTHING) {
      this.#send({ action: 'unsubscribe', id })
    } else if (since !== null && this.#knowsCursors) {
      this.#isCatchingUp = true
      this.#send({ action: 'subscribe', filters: filtersOf(wanted), id, since: formatCursor(since) })
    } else {
      this.#send({ action: 'subscribe', filters: filtersOf(wanted), id })
    }
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#environment.clearTimer(this.#timer)
    this.#timer = null
  }
}
