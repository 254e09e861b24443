/** The cases of protocol/vectors that bind clients; the server's tests run the same files. */

import { describe, expect, it } from 'vitest'
import backoff from '../../../protocol/vectors/backoff.json'
import closeCodes from '../../../protocol/vectors/close-codes.json'
import cursors from '../../../protocol/vectors/cursors.json'
import filters from '../../../protocol/vectors/filters.json'
import resume from '../../../protocol/vectors/resume.json'
import serverFrames from '../../../protocol/vectors/server-frames.json'
import { reconnectDelay } from './backoff'
import { announcementOf, verdictOf } from './closeCodes'
import { decode } from './codec'
import { formatCursor, parseCursor, type Cursor } from './cursor'
import { categoryOf, filtersOf, includes, maskOf } from './filters'
import type { JsonObject, JsonValue, MonitorEvent, ServerMessage, Subscribed } from './messages'
import { Subscriptions, type Gap, type Subscription } from './subscriptions'
import { EVERYTHING_WANTED } from './wants'

/** The files are data of many shapes; what the types infer of them is wider than what their README promises. */
function load<T>(file: unknown): (T & { name: string })[] {
  return file as (T & { name: string })[]
}

type Pieces = string | (string | { repeat: string; times: number })[]

function join(pieces: Pieces): string {
  if (typeof pieces === 'string') return pieces
  return pieces
    .map((piece) => (typeof piece === 'string' ? piece : piece.repeat.repeat(piece.times)))
    .join('')
}

const backoffVectors = load<{
  attempt: number
  random: number | null
  retry_after: number | null
  max_attempts: number | null
  delay_ms: number | null
}>(backoff.vectors)

describe('backoff.json', () => {
  it.each(backoffVectors)('$name', ({ attempt, random, retry_after, max_attempts, delay_ms }) => {
    const options = { maxAttempts: max_attempts ?? Infinity, random, retryAfterS: retry_after }

    expect(reconnectDelay(attempt, options)).toBe(delay_ms)
  })
})

const closeVectors = load<{
  code: number
  announced: JsonObject | null
  reconnect: boolean
  show: boolean
  retry_after: number | null
}>(closeCodes.vectors)

describe('close-codes.json', () => {
  it.each(closeVectors)('$name', ({ code, announced, reconnect, show, retry_after }) => {
    const closing = decode(JSON.stringify({ type: 'system:closing', data: announced ?? { code } }))
    const counts = closing.kind === 'closing' ? announcementOf(code, announced && closing) : null
    const verdict = verdictOf(counts?.code ?? code)

    expect(verdict === 'retry').toBe(reconnect)
    expect(verdict === 'fail').toBe(show)
    expect(counts?.retryAfter ?? null).toBe(retry_after)
  })
})

const cursorVectors = load<{ text: Pieces; epoch?: string; offset?: string; error?: string }>(cursors.vectors)

describe('cursors.json', () => {
  it.each(cursorVectors)('$name', ({ text, epoch, offset, error }) => {
    const cursor = parseCursor(join(text))

    expect(cursor).toEqual(error === undefined ? { epoch, offset: Number(offset) } : null)
  })
})

const filterVectors = load<{
  filters: string[]
  channels: string[] | null
  names?: string[]
  types?: string[] | null
  events: { type: string; matches: boolean }[]
}>(filters.vectors).filter(
  ({ channels, types, names }) => channels === null && (types ?? null) === null && names !== undefined,
)

describe('filters.json, where no channels and no types are asked for', () => {
  it.each(filterVectors)('$name', ({ filters: asked, names, events }) => {
    const mask = maskOf(asked)

    expect(filtersOf(mask)).toEqual(names)
    for (const { type, matches } of events) {
      const category = categoryOf(type)
      expect(category !== null && includes(mask, category), type).toBe(matches)
    }
  })
})

/** A message in the words of the wire, as the vectors have it. */
function understood(message: ServerMessage): JsonObject {
  const flat = message.kind === 'event' ? { ...message, ...message.event } : message
  return Object.fromEntries<JsonValue>(
    Object.entries(flat).map(([key, value]: [string, JsonValue]) => [
      key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      value,
    ]),
  )
}

const frameVectors = load<{ raw: Pieces; understood: JsonObject }>(serverFrames.vectors)

describe('server-frames.json', () => {
  it.each(frameVectors)('$name', ({ raw, understood: expected }) => {
    expect(understood(decode(join(raw)))).toMatchObject(expected)
  })
})

const resumeVectors = load<{
  position: Cursor | null
  incoming: JsonObject[]
  delivered: number[]
  after: Cursor | null
  since: string | null
  gap: string | null
}>(resume.client)

const CONFIRMED: Subscribed = {
  kind: 'subscribed',
  filters: ['all'],
  channels: null,
  types: null,
  mode: null,
  id: null,
  epoch: null,
  offset: null,
  recovered: null,
  reason: null,
  replay: null,
}

describe('resume.json', () => {
  it.each(resumeVectors)('$name', ({ position, incoming, delivered, after, since, gap }) => {
    const seen: MonitorEvent[] = []
    const gaps: Gap[] = []
    const subscriptions = new Subscriptions(position)
    const member: Subscription = {
      wants: { ...EVERYTHING_WANTED },
      handler: (event) => seen.push(event),
      onError: (error) => expect.unreachable(String(error)),
      last: 0,
      start: null,
      onSnapshot: null,
      isStrict: false,
      position: null,
    }
    subscriptions.add(member)
    subscriptions.asking(null)
    subscriptions.subscribed(CONFIRMED)

    const indices: number[] = []
    incoming.forEach((frame, index) => {
      const message = decode(JSON.stringify(frame))
      const before = seen.length
      if (message.kind === 'event') subscriptions.deliver(message.event)
      if (message.kind === 'heartbeat' || message.kind === 'caught_up') subscriptions.reached(message.offset)
      const loss = message.kind === 'subscribed' ? subscriptions.subscribed(message) : null
      if (loss !== null) gaps.push(loss)
      const told = message.kind === 'gap' ? subscriptions.lost(message) : null
      if (told !== null) gaps.push(told)
      if (seen.length > before) indices.push(index)
    })

    expect(indices).toEqual(delivered)
    expect(member.position).toEqual(after)
    expect(subscriptions.since && formatCursor(subscriptions.since)).toBe(since)
    expect(gaps.map(({ reason }) => reason)).toEqual(gap === null ? [] : [gap])
  })
})
