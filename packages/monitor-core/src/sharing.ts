/**
 * One connection for all tabs of a browser, as an environment whose sockets share it.
 *
 * Rule 1: the tab that has the lock leads: it has the real socket, on a `Switchboard`. When it is gone the browser gives
 *         the lock to another, which says so, and all come to it.
 * Rule 2: a socket of a tab is a link to the leader. Who uses it cannot tell: it subscribes, resumes and drops what it has
 *         seen as on a connection of its own. So nothing is lost or doubled when the leader goes.
 * Rule 3: a leader that does not answer (its page hangs) is not waited for: the link gets a connection of its own.
 */

import { MOVED } from './closeCodes'
import type { Environment, Tabs, WebSocketLike } from './environment'
import { Switchboard } from './switchboard'

/** Milliseconds in which a leader answers; one that does not is gone or hangs. */
const LEADER_TIMEOUT_MS = 3000
/** The close code of a link whose address cannot be dialled: trying again would end the same way. */
const UNUSABLE = 4400

/** What a tab posts to the leader. */
type Request =
  | { readonly kind: 'dial'; readonly link: string; readonly page: string; readonly protocols: string[] }
  | { readonly kind: 'say'; readonly link: string; readonly text: string }
  | { readonly kind: 'hang-up'; readonly link: string; readonly code: number | undefined }

/** What the leader posts; `link` null: to all. */
type Notice =
  /** There is a new leader. */
  | { readonly kind: 'leads' }
  /** The dial arrived; the server's greeting follows when it is there. */
  | { readonly kind: 'heard'; readonly link: string }
  | { readonly kind: 'frame'; readonly link: string | null; readonly frame: string }
  | { readonly kind: 'closed'; readonly link: string | null; readonly code: number; readonly reason: string }
  /** The server was reached. */
  | { readonly kind: 'opened' }

const shared = new WeakMap<Environment, Environment>()

/** The environment in which tabs share connections; the same one where they cannot. */
export function acrossTabs(environment: Environment): Environment {
  const { tabs } = environment
  if (tabs === null) return environment
  const known = shared.get(environment) ?? new SharingEnvironment(environment, tabs)
  shared.set(environment, known)
  return known
}

class SharingEnvironment implements Environment {
  readonly #own: Environment
  readonly #lines = new Map<string, Line>()
  readonly #wakers = new Set<() => void>()
  #isHeld = false

  constructor(
    own: Environment,
    readonly tabs: Tabs,
  ) {
    this.#own = own
    tabs.hold(lockOf(tabs.id), () => {
      this.#isHeld = true
      for (const line of this.#lines.values()) line.introduce()
    })
  }

  createSocket(url: string, protocols: string[]): WebSocketLike {
    const line = this.#lines.get(url) ?? new Line(url, this.#own, this.tabs, () => this.#wake())
    this.#lines.set(url, line)
    if (this.#isHeld) line.introduce()
    return line.dial(protocols)
  }

  setTimer(run: () => void, ms: number): unknown {
    return this.#own.setTimer(run, ms)
  }

  clearTimer(timer: unknown): void {
    this.#own.clearTimer(timer)
  }

  now(): number {
    return this.#own.now()
  }

  random(): number {
    return this.#own.random()
  }

  get storage() {
    return this.#own.storage
  }

  onHide(hide: () => void): () => void {
    return this.#own.onHide(hide)
  }

  onWake(wake: () => void): () => void {
    const stop = this.#own.onWake(wake)
    this.#wakers.add(wake)
    return () => {
      stop()
      this.#wakers.delete(wake)
    }
  }

  /** Another tab reached the server: a good moment for those who wait here. */
  #wake(): void {
    for (const wake of [...this.#wakers]) wake()
  }
}

/** Held by a page while it lives, so that the leader is told when it is gone, however it went. */
function lockOf(page: string): string {
  return `rmos.page ${page}`
}

/** This tab's part in the connection to one address. */
class Line {
  readonly #url: string
  readonly #environment: Environment
  readonly #tabs: Tabs
  readonly #onOpened: () => void
  readonly #post: (note: Request | Notice) => void
  readonly #links = new Map<string, Link>()
  /** Where this tab leads. */
  #switchboard: Switchboard | null = null
  /** Pages whose end the leader waits for. */
  readonly #watched = new Set<string>()
  /** Whether this page has its lock: a leader that found it free would take the page for gone. */
  #isIntroduced = false
  #dials = 0

  constructor(url: string, environment: Environment, tabs: Tabs, onOpened: () => void) {
    this.#url = url
    this.#environment = environment
    this.#tabs = tabs
    this.#onOpened = onOpened
    const name = `rmos.monitor ${url}`
    // Only lines post under this name.
    this.#post = tabs.join(name, (note) => this.#hear(note as Request | Notice))
    tabs.hold(name, () => this.#lead())
  }

  introduce(): void {
    if (this.#isIntroduced) return
    this.#isIntroduced = true
    this.#dialAll()
  }

  /** @throws what `Environment.createSocket` throws, where this tab leads */
  dial(protocols: string[]): WebSocketLike {
    const id = `${this.#tabs.id}.${++this.#dials}`
    const link = new Link(protocols, {
      say: (text) => this.#request({ kind: 'say', link: id, text }),
      hangUp: (code) => {
        this.#links.delete(id)
        this.#request({ kind: 'hang-up', link: id, code })
      },
    })
    this.#links.set(id, link)
    if (this.#switchboard !== null) {
      this.#switchboard.dial(id, protocols)
      return link
    }
    link.awaitLeader(this.#environment, this.#url, () => {
      this.#links.delete(id)
      this.#request({ kind: 'hang-up', link: id, code: undefined })
    })
    if (this.#isIntroduced) this.#request({ kind: 'dial', link: id, page: this.#tabs.id, protocols })
    return link
  }

  /** Dial for those who have no connection yet. */
  #dialAll(): void {
    for (const [id, { isGreeted, protocols }] of this.#links) {
      if (!isGreeted) this.#request({ kind: 'dial', link: id, page: this.#tabs.id, protocols })
    }
  }

  /** The lock is this tab's. */
  #lead(): void {
    const tell = (notice: Notice) => {
      // Frames are for pages that have dialled. Often there is no other one, and posting every event is dear.
      if (notice.kind !== 'frame' || this.#watched.size > 0) this.#post(notice)
      // A socket never calls back while it is being used.
      queueMicrotask(() => this.#notice(notice))
    }
    this.#switchboard = new Switchboard(this.#url, this.#environment, {
      frame: (link, frame) => tell({ kind: 'frame', link, frame }),
      closed: (code, reason) => tell({ kind: 'closed', link: null, code, reason }),
      opened: () => tell({ kind: 'opened' }),
    })
    tell({ kind: 'leads' })
  }

  #hear(note: Request | Notice): void {
    if (note.kind === 'dial' || note.kind === 'say' || note.kind === 'hang-up') {
      if (this.#switchboard !== null) this.#serve(this.#switchboard, note)
    } else {
      this.#notice(note)
    }
  }

  #notice(notice: Notice): void {
    switch (notice.kind) {
      case 'leads':
        for (const [id, link] of [...this.#links]) if (link.isGreeted) this.#close(id, link, MOVED, '')
        this.#dialAll()
        break
      case 'heard':
        this.#links.get(notice.link)?.leaderAnswered()
        break
      case 'frame':
        for (const [id, link] of [...this.#links]) {
          if (notice.link === null || notice.link === id) link.receive(notice.frame, notice.link === id)
        }
        break
      case 'closed':
        for (const [id, link] of [...this.#links]) {
          if (notice.link === null || notice.link === id) this.#close(id, link, notice.code, notice.reason)
        }
        break
      case 'opened':
        this.#onOpened()
        break
    }
  }

  #close(id: string, link: Link, code: number, reason: string): void {
    this.#links.delete(id)
    link.end(code, reason)
  }

  #request(request: Request): void {
    if (this.#switchboard === null) this.#post(request)
    else this.#serve(this.#switchboard, request)
  }

  #serve(switchboard: Switchboard, request: Request): void {
    switch (request.kind) {
      case 'dial':
        this.#watch(switchboard, request.page)
        this.#answer({ kind: 'heard', link: request.link })
        try {
          switchboard.dial(request.link, request.protocols)
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          this.#answer({ kind: 'closed', link: request.link, code: UNUSABLE, reason })
        }
        break
      case 'say':
        switchboard.say(request.link, request.text)
        break
      case 'hang-up':
        switchboard.hangUp(request.link, request.code)
        break
    }
  }

  #answer(notice: Notice): void {
    this.#post(notice)
    this.#notice(notice)
  }

  #watch(switchboard: Switchboard, page: string): void {
    if (page === this.#tabs.id || this.#watched.has(page)) return
    this.#watched.add(page)
    const release = this.#tabs.hold(lockOf(page), () => {
      switchboard.hangUpAll((link) => link.startsWith(`${page}.`))
      this.#watched.delete(page)
      queueMicrotask(() => release())
    })
  }
}

/** What looks like a socket to its tab. */
class Link implements WebSocketLike {
  onmessage: WebSocketLike['onmessage'] = null
  onclose: WebSocketLike['onclose'] = null
  /** Whether the server's first frame has come. */
  isGreeted = false
  #forgetLeader: () => void = () => undefined
  /** The connection of its own, where no leader answered. */
  #own: WebSocketLike | null = null

  constructor(
    readonly protocols: string[],
    private readonly leader: { say(text: string): void; hangUp(code: number | undefined): void },
  ) {}

  /** Wait for a leader; where none answers, connect without. */
  awaitLeader(environment: Environment, url: string, giveUp: () => void): void {
    const timer = environment.setTimer(() => {
      giveUp()
      this.#connect(environment, url)
    }, LEADER_TIMEOUT_MS)
    this.#forgetLeader = () => environment.clearTimer(timer)
  }

  leaderAnswered(): void {
    this.#forgetLeader()
  }

  /** `isAddressed`: it is for this link and not for all of them. */
  receive(frame: string, isAddressed: boolean): void {
    if (isAddressed) this.isGreeted = true
    if (!this.isGreeted) return
    this.#forgetLeader()
    this.onmessage?.({ data: frame })
  }

  end(code: number, reason: string): void {
    this.#forgetLeader()
    this.onclose?.({ code, reason })
  }

  send(text: string): void {
    if (this.#own === null) this.leader.say(text)
    else this.#own.send(text)
  }

  close(code?: number, reason?: string): void {
    this.#forgetLeader()
    if (this.#own === null) this.leader.hangUp(code)
    else this.#own.close(code, reason)
  }

  #connect(environment: Environment, url: string): void {
    try {
      this.#own = environment.createSocket(url, this.protocols)
    } catch (error) {
      this.end(UNUSABLE, error instanceof Error ? error.message : String(error))
      return
    }
    this.#own.onmessage = (event) => this.onmessage?.(event)
    this.#own.onclose = (event) => this.onclose?.(event)
  }
}
