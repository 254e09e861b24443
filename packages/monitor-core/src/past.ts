/**
 * Looks at the past on one connection: the state at a place, and replays of a stretch of the log.
 *
 * Rule 1: nothing here touches the live stream; what comes for a look at the past goes to who asked for it, alone.
 * Rule 2: the server keeps one state under way (PROTOCOL.md PST-08): states are asked for one after the other.
 * Rule 3: the server keeps one replay: a new one ends the old, which is told.
 * Rule 4: a replay goes on after a lost connection, from the place it had reached to the end that it had.
 */

import { formatCursor } from './cursor'
import type { Environment } from './environment'
import { MonitorError } from './errors'
import type {
  Command,
  Connected,
  Filter,
  MonitorEvent,
  ReplayCommand,
  ReplayMessage,
  ReplaySpeed,
  ServerError,
  Snapshot,
  SnapshotPage,
} from './messages'
import { joinPages } from './subscriptions'

/** Milliseconds within which a state has to begin, and to go on. */
const ANSWER_TIMEOUT_MS = 10_000

/** What of the past is wanted; left out: all of it. */
export interface PastWish {
  readonly filters?: readonly Filter[]
  /** `machine:cnc1`, `machine:*`; of a state, as the things were then. */
  readonly channels?: readonly string[]
}

export interface ReplayOptions extends PastWish {
  /** Place after which to begin: a cursor, or an RFC 3339 time. */
  readonly from: string
  /**
   * The last place.
   * @default the head of the log when the replay begins, also when it goes on after a lost connection
   */
  readonly to?: string
  /**
   * Times real time, 0.1 to 1,000; `max`: as fast as they can be taken.
   * @default 1
   */
  readonly speed?: ReplaySpeed
  /**
   * Whether to stand still at first.
   * @default false
   */
  readonly isPaused?: boolean
  /** Exact types. */
  readonly types?: readonly string[]
}

/** Where a replay stands. */
export interface ReplayStatus {
  /**
   * `starting`: not answered yet, or the connection is being waited for; `stopped`: by `stop`, by another replay of this
   * connection, or because the server refused.
   */
  readonly state: 'starting' | ReplayMessage['state']
  /** Everything wanted up to this place was replayed; null before the server has said so. */
  readonly offset: number | null
  /** The time in the log that is reached (RFC 3339), where it is known. */
  readonly time: string | null
  readonly speed: ReplaySpeed
  /** Seconds until the next event, where that is long; otherwise 0. */
  readonly waitS: number
}

export interface ReplayListener {
  onEvent(event: MonitorEvent): void
  onStatus?(status: ReplayStatus): void
  /** The server refused to begin, or a step of it. */
  onError?(error: MonitorError): void
}

/** A replay that runs, to be steered. Steering one that has ended does nothing, but `seek` begins it anew. */
export interface Replay {
  readonly status: ReplayStatus
  pause(): void
  resume(): void
  setSpeed(speed: ReplaySpeed): void
  /** Go on after this place, forwards or backwards. */
  seek(place: string): void
  stop(): void
}

interface StateRequest {
  readonly id: string
  readonly command: Command
  readonly pages: SnapshotPage[]
  readonly resolve: (snapshot: Snapshot) => void
  readonly reject: (error: MonitorError) => void
}

export class Past {
  readonly #environment: Environment
  readonly #send: (command: Command) => void
  /** States to be asked for; the first is under way. */
  readonly #states: StateRequest[] = []
  #timer: unknown = null
  /** The newest replay, whose events come now or next. */
  #replay: RunningReplay | null = null
  /** The replay before it, until its end is told. */
  #former: RunningReplay | null = null
  #isOpen = false
  #epoch: string | null = null
  #ids = 0

  constructor(environment: Environment, send: (command: Command) => void) {
    this.#environment = environment
    this.#send = send
  }

  opened({ epoch }: Connected): void {
    this.#isOpen = true
    this.#epoch = epoch
    this.#replay?.begin()
  }

  closed(): void {
    this.#isOpen = false
    this.#former?.ended()
    this.#former = null
    this.#replay?.interrupted()
    for (const { reject } of this.#states.splice(0)) reject(notConnected())
    this.#clearTimer()
  }

  /** @throws MonitorError (as a rejection) why there is no answer */
  state(at: string | undefined, { filters, channels }: PastWish): Promise<Snapshot> {
    if (!this.#isOpen) return Promise.reject(notConnected())
    if (this.#epoch === null) return Promise.reject(knowsNoPast())
    const id = this.#newId()
    const command: Command = {
      action: 'state',
      id,
      ...(at !== undefined && { at }),
      ...wishOf({ filters, channels }),
    }
    return new Promise((resolve, reject) => {
      this.#states.push({ id, command, pages: [], resolve, reject })
      if (this.#states.length === 1) this.#ask()
    })
  }

  replay(options: ReplayOptions, listener: ReplayListener): Replay {
    const replay: RunningReplay = new RunningReplay(options, listener, {
      send: (command) => {
        this.#send(command)
      },
      newId: () => this.#newId(),
      canBegin: () => this.#canBegin(replay),
      place: (offset) => (this.#epoch === null ? null : formatCursor({ epoch: this.#epoch, offset })),
    })
    replay.begin()
    return replay
  }

  /** Whether the frame belonged to a state. */
  filled(page: SnapshotPage): boolean {
    const [request] = this.#states
    if (request === undefined || page.id !== request.id) return false
    request.pages.push(page)
    this.#clearTimer()
    if (page.isLast) {
      this.#states.shift()
      request.resolve(joinPages(page, request.pages))
      this.#ask()
    } else {
      this.#await(request)
    }
    return true
  }

  replayed(event: MonitorEvent): void {
    // Events of the former one are on their way until the new one is answered.
    const current = this.#replay?.isAnswered === false ? this.#former : this.#replay
    current?.replayed(event)
  }

  told(message: ReplayMessage): void {
    for (const replay of [this.#former, this.#replay]) if (replay?.told(message)) break
    if (this.#former?.isOver) this.#former = null
  }

  /** Whether the error answered a look at the past. */
  refused(error: ServerError): boolean {
    const [request] = this.#states
    if (error.id === null) return false
    if (request?.id === error.id) {
      this.#states.shift()
      this.#clearTimer()
      request.reject(refusal(error))
      this.#ask()
      return true
    }
    const isTaken = [this.#replay, this.#former].some((replay) => replay?.refused(error))
    if (this.#replay?.isOver && this.#former !== null) {
      // What could not begin has ended nothing.
      this.#replay = this.#former
      this.#former = null
    }
    return isTaken
  }

  /** Make this replay the current one. Returns whether it can begin now. */
  #canBegin(replay: RunningReplay): boolean {
    if (this.#replay !== replay) {
      if (!this.#isOpen) this.#replay?.ended()
      else if (this.#replay?.isOver === false) {
        this.#former?.ended()
        this.#former = this.#replay
      }
    }
    this.#replay = replay
    if (!this.#isOpen) return false
    if (this.#epoch !== null) return true
    replay.failed(knowsNoPast())
    return false
  }

  #ask(): void {
    const [next] = this.#states
    if (next === undefined) return
    this.#await(next)
    this.#send(next.command)
  }

  #await(request: StateRequest): void {
    this.#timer = this.#environment.setTimer(() => {
      this.#timer = null
      this.#states.shift()
      request.reject(new MonitorError('connection_failed', 'the server did not answer in time'))
      this.#ask()
    }, ANSWER_TIMEOUT_MS)
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#environment.clearTimer(this.#timer)
    this.#timer = null
  }

  #newId(): string {
    return `p${++this.#ids}`
  }
}

/** What a replay needs of its connection. */
interface Desk {
  send(command: ReplayCommand): void
  newId(): string
  canBegin(): boolean
  /** The cursor of an offset of the present log. */
  place(offset: number): string | null
}

class RunningReplay implements Replay {
  status: ReplayStatus
  /** Whether the server has answered the beginning on this connection. */
  isAnswered = false
  readonly #options: ReplayOptions
  readonly #listener: ReplayListener
  readonly #desk: Desk
  /** Where it goes on after a lost connection. */
  #place: string
  /** Where it ends, since the server has said so; before, as it was asked for. */
  #end: string | undefined
  #isPaused: boolean
  #beginning: string | null = null
  /** Steps that are not answered yet. */
  readonly #steps = new Set<string>()

  constructor(options: ReplayOptions, listener: ReplayListener, desk: Desk) {
    const { from, speed = 1, isPaused = false } = options
    this.#options = options
    this.#listener = listener
    this.#desk = desk
    this.#place = from
    this.#end = options.to
    this.#isPaused = isPaused
    this.status = { state: 'starting', offset: null, time: null, speed, waitS: 0 }
  }

  get isOver(): boolean {
    return this.status.state === 'finished' || this.status.state === 'stopped'
  }

  begin(): void {
    if (this.isOver) return
    this.isAnswered = false
    this.#steps.clear()
    if (!this.#desk.canBegin()) return
    const { types } = this.#options
    const { speed } = this.status
    this.#beginning = this.#desk.newId()
    this.#desk.send({
      action: 'replay',
      id: this.#beginning,
      from: this.#place,
      ...(this.#end !== undefined && { to: this.#end }),
      speed,
      pause: this.#isPaused,
      ...wishOf(this.#options),
      ...(types !== undefined && { types }),
    })
  }

  pause(): void {
    this.#isPaused = true
    this.#steer({ pause: true })
  }

  resume(): void {
    this.#isPaused = false
    this.#steer({ pause: false })
  }

  setSpeed(speed: ReplaySpeed): void {
    this.status = { ...this.status, speed }
    this.#steer({ speed })
  }

  seek(place: string): void {
    this.#place = place
    if (!this.isOver) {
      this.#steer({ seek: place })
      return
    }
    this.#end = this.#options.to
    this.status = { ...this.status, state: 'starting', waitS: 0 }
    this.begin()
    this.#listener.onStatus?.(this.status)
  }

  stop(): void {
    if (this.isOver) return
    this.#steer({ stop: true })
    if (this.#beginning === null) this.ended()
    // The server's word on it follows; nobody has to wait for it.
    this.status = { ...this.status, state: 'stopped', waitS: 0 }
    this.#listener.onStatus?.(this.status)
  }

  replayed(event: MonitorEvent): void {
    if (this.isOver) return
    if (event.id !== null) this.#place = event.id
    try {
      this.#listener.onEvent(event)
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause)
      this.#listener.onError?.(
        new MonitorError('handler_failed', `a handler of replayed events failed: ${words}`, { cause }),
      )
    }
  }

  /** Whether the message was for this replay. */
  told(message: ReplayMessage): boolean {
    const { id, state, offset, to, time, speed, waitS } = message
    if (id === null || (id !== this.#beginning && !this.#steps.delete(id))) return false
    if (id === this.#beginning) this.isAnswered = true
    if (this.isOver) return true
    // A place that was sought may be a time, in whose stead the answer has its offset.
    this.#place = this.#desk.place(offset) ?? this.#place
    if (to !== null) this.#end = this.#desk.place(to) ?? this.#end
    this.status = { state, offset, time, speed, waitS }
    this.#listener.onStatus?.(this.status)
    return true
  }

  /** Whether the error was for this replay. */
  refused(error: ServerError): boolean {
    if (error.id === null || (error.id !== this.#beginning && !this.#steps.delete(error.id))) return false
    if (error.id === this.#beginning) this.failed(refusal(error))
    else this.#listener.onError?.(refusal(error))
    return true
  }

  failed(error: MonitorError): void {
    this.#listener.onError?.(error)
    this.ended()
  }

  ended(): void {
    if (this.isOver) return
    this.status = { ...this.status, state: 'stopped', waitS: 0 }
    this.#listener.onStatus?.(this.status)
  }

  interrupted(): void {
    this.#beginning = null
    this.#steps.clear()
    this.isAnswered = false
    if (this.isOver) return
    this.status = { ...this.status, state: 'starting', waitS: 0 }
    this.#listener.onStatus?.(this.status)
  }

  #steer(step: Pick<ReplayCommand, 'pause' | 'speed' | 'seek' | 'stop'>): void {
    // Without a connection the next beginning says it all.
    if (this.isOver || this.#beginning === null) return
    const id = this.#desk.newId()
    this.#steps.add(id)
    this.#desk.send({ action: 'replay', id, ...step })
  }
}

function wishOf({
  filters,
  channels,
}: {
  filters?: readonly Filter[] | undefined
  channels?: readonly string[] | undefined
}) {
  // Said in any case: without it the server would take the filter of the live subscription (PROTOCOL.md PST-04).
  return { filters: filters ?? (['all'] as const), ...(channels !== undefined && { channels }) }
}

function notConnected(): MonitorError {
  return new MonitorError('connection_failed', 'there is no connection to the server')
}

function knowsNoPast(): MonitorError {
  return new MonitorError('refused', 'this server cannot look back in time')
}

function refusal({ message, code }: ServerError): MonitorError {
  return new MonitorError('refused', message, { serverCode: code })
}
