/**
 * Frames of the server into messages, commands into text.
 *
 * Rule 1: `decode` never throws; what it cannot read is `malformed`, what it does not know is `ignored`.
 * Rule 2: unknown keys are left out; a known key of a wrong type makes the whole frame malformed.
 */

import { parseCursor, type Cursor } from './cursor'
import { categoryOf, isFilter } from './filters'
import type {
  Category,
  Command,
  JsonObject,
  JsonValue,
  Malformed,
  ReplayMessage,
  ReplaySpeed,
  ServerMessage,
} from './messages'

const TYPE = /^[^:]+:./s

/** The message in one frame, as `MessageEvent.data` has it. */
export function decode(frame: unknown): ServerMessage {
  if (typeof frame !== 'string') return malformed('a binary frame')
  let value: unknown
  try {
    value = JSON.parse(frame)
  } catch {
    return malformed(`no JSON: ${frame.slice(0, 80)}`)
  }
  if (!isObject(value)) return malformed('no JSON object')
  try {
    return read(value)
  } catch (error) {
    if (error instanceof WrongType) return malformed(error.message)
    throw error
  }
}

export function encode(command: Command): string {
  return JSON.stringify(command)
}

function read(frame: JsonObject): ServerMessage {
  const { type, data } = frame
  if (typeof type !== 'string' || !TYPE.test(type)) throw new WrongType('type', '<category>:<name>')
  if (!isObject(data)) throw new WrongType('data', 'an object')
  if (type.startsWith('system:')) return readSystem(type, data)
  const category = categoryOf(type)
  return category === null ? { kind: 'ignored' } : readEvent(type, category, data, frame)
}

function readEvent(type: string, category: Category, data: JsonObject, frame: JsonObject): ServerMessage {
  return {
    kind: 'event',
    event: {
      type,
      category,
      data,
      timestamp: text(frame, 'timestamp') ?? '',
      id: cursor(frame, 'id'),
      offset: place(frame, 'offset'),
      channels: texts(frame, 'channels') ?? [],
      key: text(frame, 'key'),
      version: integer(frame, 'version'),
      actor: text(frame, 'actor'),
    },
    isReplay: boolean(frame, 'replay') === true,
  }
}

function readSystem(type: string, data: JsonObject): ServerMessage {
  switch (type) {
    case 'system:connected':
      return {
        kind: 'connected',
        epoch: text(data, 'epoch'),
        offset: place(data, 'offset'),
        oldest: place(data, 'oldest'),
        heartbeatS: number(data, 'heartbeat_s'),
      }
    case 'system:subscribed':
      return {
        kind: 'subscribed',
        filters: required(texts(data, 'filters'), 'filters').filter(isFilter),
        channels: texts(data, 'channels'),
        types: texts(data, 'types'),
        mode: text(data, 'mode'),
        id: text(data, 'id'),
        epoch: text(data, 'epoch'),
        offset: place(data, 'offset'),
        recovered: boolean(data, 'recovered'),
        reason: text(data, 'reason'),
        replay: range(data, 'replay'),
      }
    case 'system:pong':
      return { kind: 'pong', id: text(data, 'id') }
    case 'system:heartbeat':
      return {
        kind: 'heartbeat',
        offset: required(place(data, 'offset'), 'offset'),
        lag: integer(data, 'lag') ?? 0,
      }
    case 'system:caught_up':
      return { kind: 'caught_up', offset: required(place(data, 'offset'), 'offset') }
    case 'system:snapshot':
      return {
        kind: 'snapshot',
        id: text(data, 'id'),
        ...at(data),
        isLast: required(boolean(data, 'is_last'), 'is_last'),
        patterns: required(objects(data, 'patterns'), 'patterns'),
        joblogs: required(objects(data, 'joblogs'), 'joblogs'),
        stripFamilies: required(objects(data, 'strip_families'), 'strip_families'),
      }
    case 'system:replay':
      return {
        kind: 'replay',
        id: text(data, 'id'),
        state: replayState(data),
        offset: required(place(data, 'offset'), 'offset'),
        to: place(data, 'to'),
        time: text(data, 'time'),
        speed: speed(data),
        waitS: number(data, 'wait_s') ?? 0,
      }
    case 'system:gap':
      return {
        kind: 'gap',
        from: place(data, 'from'),
        to: place(data, 'to'),
        reason: text(data, 'reason') ?? 'unknown',
      }
    case 'system:conflated':
      return {
        kind: 'conflated',
        from: required(place(data, 'from'), 'from'),
        to: required(place(data, 'to'), 'to'),
        count: required(place(data, 'count'), 'count'),
      }
    case 'system:token_expiring':
      return { kind: 'token_expiring', expiresAt: text(data, 'expires_at') }
    case 'system:error':
      return {
        kind: 'error',
        id: text(data, 'id'),
        code: text(data, 'code') ?? 'unknown',
        message: text(data, 'message') ?? 'the server reported an error without words',
        temporary: boolean(data, 'temporary') ?? false,
        retryAfter: number(data, 'retry_after'),
      }
    case 'system:closing':
      return {
        kind: 'closing',
        code: required(integer(data, 'code'), 'code'),
        reason: text(data, 'reason') ?? '',
        reconnect: boolean(data, 'reconnect'),
        retryAfter: number(data, 'retry_after'),
      }
    default:
      return { kind: 'ignored' }
  }
}

class WrongType extends Error {
  constructor(key: string, expected: string) {
    super(`${key} is not ${expected}`)
  }
}

function malformed(problem: string): Malformed {
  return { kind: 'malformed', problem }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of an optional key: null where it is absent or null, an error where it fails the test. */
function optional<T extends JsonValue>(
  from: JsonObject,
  key: string,
  test: (value: JsonValue) => value is T,
  expected: string,
): T | null {
  const value = from[key] ?? null
  if (value === null || test(value)) return value
  throw new WrongType(key, expected)
}

function text(from: JsonObject, key: string): string | null {
  return optional(from, key, (value) => typeof value === 'string', 'text')
}

function number(from: JsonObject, key: string): number | null {
  return optional(from, key, (value) => typeof value === 'number', 'a number')
}

function integer(from: JsonObject, key: string): number | null {
  return optional(from, key, (value): value is number => Number.isInteger(value), 'an integer')
}

/** A place in the log. */
function place(from: JsonObject, key: string): number | null {
  const value = integer(from, key)
  if (value !== null && value < 0) throw new WrongType(key, 'a place in the log')
  return value
}

function range(from: JsonObject, key: string): { from: number; to: number } | null {
  const value = optional(from, key, isObject, 'a range')
  if (value === null) return null
  return { from: required(place(value, 'from'), 'from'), to: required(place(value, 'to'), 'to') }
}

function cursor(from: JsonObject, key: string): string | null {
  const value = text(from, key)
  if (value !== null && parseCursor(value) === null) throw new WrongType(key, 'a cursor')
  return value
}

/** The place and the time of a snapshot. */
function at(from: JsonObject): { at: Cursor; time: string | null } {
  const place = required(optional(from, 'at', isObject, 'a place in the log'), 'at')
  return {
    at: required(parseCursor(required(text(place, 'cursor'), 'cursor')), 'cursor'),
    time: text(place, 'time'),
  }
}

const REPLAY_STATES = ['playing', 'paused', 'finished', 'stopped'] as const

function replayState(from: JsonObject): ReplayMessage['state'] {
  const state = REPLAY_STATES.find((name) => name === from.state)
  return required(state ?? null, 'state')
}

function speed(from: JsonObject): ReplaySpeed {
  return from.speed === 'max' ? 'max' : required(number(from, 'speed'), 'speed')
}

function objects(from: JsonObject, key: string): JsonObject[] | null {
  return optional(
    from,
    key,
    (value): value is JsonObject[] => Array.isArray(value) && value.every((item) => isObject(item)),
    'a list of objects',
  )
}

function boolean(from: JsonObject, key: string): boolean | null {
  return optional(from, key, (value) => typeof value === 'boolean', 'true or false')
}

function texts(from: JsonObject, key: string): string[] | null {
  return optional(
    from,
    key,
    (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    'a list of text',
  )
}

function required<T>(value: T | null, key: string): T {
  if (value === null) throw new WrongType(key, 'there')
  return value
}
