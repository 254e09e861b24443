import { describe, expect, it } from 'vitest'
import {
  CONNECT_TIMEOUT_MS,
  GAVE_UP,
  IDLE,
  reduce,
  type ConnectionInput,
  type ConnectionPolicy,
  type ConnectionState,
} from './connection'

const policy: ConnectionPolicy = { maxAttempts: 5, random: null, wakes: false }
const connecting = (attempt: number, afterSilence = false): ConnectionState => ({
  name: 'connecting',
  attempt,
  afterSilence,
})
const waiting = (attempt: number, delayMs: number, afterSilence = false): ConnectionState =>
  expect.objectContaining({ name: 'waiting', attempt, delayMs, afterSilence }) as ConnectionState
const waitingNow = (attempt: number): ConnectionState => ({
  name: 'waiting',
  attempt,
  delayMs: 1000,
  afterSilence: false,
  reason: 'lost',
})
const open: ConnectionState = { name: 'open' }
const abandoned: ConnectionState = { name: 'abandoned', reason: 'over', cause: null, code: null }
const closed = (code: number, retryAfterS: number | null = null): ConnectionInput => ({
  type: 'closed',
  code,
  reason: '',
  retryAfterS,
})

const CLEAR = { type: 'clear-timer' }
const DIAL = [CLEAR, { type: 'set-timer', ms: CONNECT_TIMEOUT_MS }, { type: 'dial' }]
const wait = (ms: number) => [CLEAR, { type: 'set-timer', ms }]
const hangUp = (code: number) => expect.objectContaining({ type: 'hang-up', code }) as object

interface Row {
  what: string
  from: ConnectionState
  input: ConnectionInput
  to: ConnectionState
  effects: object[]
  policy?: Partial<ConnectionPolicy>
}

const TABLE: Row[] = [
  { what: 'idle dials', from: IDLE, input: { type: 'connect' }, to: connecting(0), effects: DIAL },
  {
    what: 'abandoned dials again',
    from: abandoned,
    input: { type: 'connect' },
    to: connecting(0),
    effects: DIAL,
  },
  { what: 'abandoned is let go of', from: abandoned, input: { type: 'disconnect' }, to: IDLE, effects: [] },
  { what: 'abandoned is not woken', from: abandoned, input: { type: 'wake' }, to: abandoned, effects: [] },

  {
    what: 'a second wish joins the attempt',
    from: connecting(2),
    input: { type: 'connect' },
    to: connecting(2),
    effects: [],
  },
  { what: 'a welcome opens', from: connecting(2), input: { type: 'welcomed' }, to: open, effects: [CLEAR] },
  {
    what: 'an attempt is called off',
    from: connecting(0),
    input: { type: 'disconnect' },
    to: IDLE,
    effects: [CLEAR, hangUp(1000)],
  },
  {
    what: 'a failed first try waits 1 s',
    from: connecting(0),
    input: closed(1006),
    to: waiting(1, 1000),
    effects: wait(1000),
  },
  {
    what: 'a failed fourth reconnect waits 16 s',
    from: connecting(4),
    input: closed(1006),
    to: waiting(5, 16_000),
    effects: wait(16_000),
  },
  {
    what: 'a failed fifth reconnect gives up',
    from: connecting(5),
    input: closed(1006),
    to: expect.objectContaining({ name: 'abandoned', reason: GAVE_UP }) as ConnectionState,
    effects: [CLEAR],
  },
  {
    what: 'who never gives up goes on',
    from: connecting(5),
    input: closed(1006),
    to: waiting(6, 16_000),
    effects: wait(16_000),
    policy: { maxAttempts: Infinity },
  },
  {
    what: 'a refusal is final',
    from: connecting(0),
    input: closed(4403),
    to: { name: 'abandoned', reason: 'access was refused (code 4403)', cause: null, code: 4403 },
    effects: [CLEAR],
  },
  {
    what: 'an attempt nobody answers is broken off',
    from: connecting(0),
    input: { type: 'timer' },
    to: waiting(1, 1000),
    effects: [hangUp(4008), ...wait(1000)],
  },
  {
    what: 'an address that cannot be dialled is final',
    from: connecting(0),
    input: { type: 'unusable', reason: 'no address' },
    to: { name: 'abandoned', reason: 'no address', cause: null, code: null },
    effects: [CLEAR],
  },

  { what: 'open ignores another wish', from: open, input: { type: 'connect' }, to: open, effects: [] },
  { what: 'open is let go of', from: open, input: { type: 'disconnect' }, to: IDLE, effects: [hangUp(1000)] },
  {
    what: 'a lost connection comes back',
    from: open,
    input: closed(1006),
    to: waiting(1, 1000),
    effects: wait(1000),
  },
  {
    what: 'a restart comes back when asked to',
    from: open,
    input: closed(1012, 3),
    to: waiting(1, 3000),
    effects: wait(3000),
  },
  { what: 'a proper end is an end', from: open, input: closed(1000), to: IDLE, effects: [CLEAR] },
  {
    what: 'a silent line is given up and replaced',
    from: open,
    input: { type: 'silent' },
    to: waiting(1, 1000, true),
    effects: [hangUp(4008), ...wait(1000)],
  },
  {
    what: 'a silent line is not replaced where no attempt is allowed',
    from: open,
    input: { type: 'silent' },
    to: expect.objectContaining({ name: 'abandoned', reason: GAVE_UP }) as ConnectionState,
    effects: [hangUp(4008), CLEAR],
    policy: { maxAttempts: 0 },
  },
  {
    what: 'jitter shortens the wait',
    from: open,
    input: closed(1006),
    to: waiting(1, 250),
    effects: wait(250),
    policy: { random: 0.25 },
  },

  {
    what: 'the wait ends in an attempt',
    from: waitingNow(3),
    input: { type: 'timer' },
    to: connecting(3),
    effects: DIAL,
  },
  {
    what: 'a wish cuts the wait short and counts anew',
    from: waitingNow(3),
    input: { type: 'connect' },
    to: connecting(0),
    effects: DIAL,
  },
  {
    what: 'a wait is called off',
    from: waitingNow(3),
    input: { type: 'disconnect' },
    to: IDLE,
    effects: [CLEAR],
  },
  {
    what: 'waking means nothing to who does not ask for it',
    from: waitingNow(3),
    input: { type: 'wake' },
    to: waitingNow(3),
    effects: [],
  },
  {
    what: 'waking cuts the wait short and counts anew',
    from: waitingNow(3),
    input: { type: 'wake' },
    to: connecting(0),
    effects: DIAL,
    policy: { wakes: true },
  },
  {
    what: 'silence is remembered while the new line is made',
    from: { ...waitingNow(1), afterSilence: true } as ConnectionState,
    input: { type: 'timer' },
    to: connecting(1, true),
    effects: DIAL,
  },
  {
    what: 'silence is forgotten when that fails',
    from: connecting(1, true),
    input: closed(1006),
    to: waiting(2, 2000, false),
    effects: wait(2000),
  },
]

describe('reduce', () => {
  it.each(TABLE)('$what', ({ from, input, to, effects, policy: changes }) => {
    const [state, done] = reduce(from, input, { ...policy, ...changes })

    expect(state).toEqual(to)
    expect(done).toEqual(effects)
  })

  const inputs: ConnectionInput[] = [
    { type: 'connect' },
    { type: 'disconnect' },
    { type: 'welcomed' },
    closed(1006),
    { type: 'unusable', reason: '' },
    { type: 'timer' },
    { type: 'silent' },
    { type: 'wake' },
  ]
  const states = [IDLE, connecting(0), open, waitingNow(1), abandoned]

  it('dials only where it then is connecting, and hangs up only where there was a socket', () => {
    for (const from of states) {
      for (const input of inputs) {
        const [to, effects] = reduce(from, input, policy)
        const kinds = effects.map((effect) => effect.type)

        expect(kinds.includes('dial'), `${from.name} ${input.type}`).toBe(
          to.name === 'connecting' && from !== to,
        )
        if (kinds.includes('hang-up')) expect(['connecting', 'open']).toContain(from.name)
        if (to.name === 'waiting' && from !== to) expect(kinds).toContain('set-timer')
      }
    }
  })
})
