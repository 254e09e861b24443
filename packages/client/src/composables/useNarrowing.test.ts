import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { effectScope, nextTick, shallowRef, type EffectScope } from 'vue'
import type { StreamItem } from './useEventStream'
import { MOST_NAMES, useNarrowing, widens } from './useNarrowing'

let scope: EffectScope
let keys = 0

beforeEach(() => (scope = effectScope()))
afterEach(() => scope.stop())

function event(type: string, { channels = [] as string[], key = null as string | null } = {}): StreamItem {
  const [category] = type.split(':') as ['job']
  keys += 1
  return {
    kind: 'event',
    key: keys,
    repeats: 1,
    event: {
      type,
      category,
      data: {},
      timestamp: '',
      id: `e:${keys}`,
      offset: keys,
      channels,
      key,
      version: null,
      actor: null,
    },
  }
}

function use(...first: StreamItem[]) {
  const items = shallowRef<readonly StreamItem[]>(first)
  const narrowing = scope.run(() => useNarrowing(() => items.value))
  if (narrowing === undefined) throw new Error('the scope is over')
  return { items, narrowing }
}

describe('useNarrowing', () => {
  it('offers the channels and types that were seen, also those whose events have left the screen', async () => {
    const { items, narrowing } = use(event('job:created', { channels: ['machine:cnc2', 'project:p7'] }))

    items.value = [event('job:updated', { channels: ['machine:cnc1'] })]
    await nextTick()

    expect(narrowing.seenChannels.value).toEqual(['machine:cnc1', 'machine:cnc2', 'project:p7'])
    expect(narrowing.seenTypes.value).toEqual(['job:created', 'job:updated'])
  })

  it('offers no more names than a person looks through', () => {
    const many = Array.from({ length: 2 * MOST_NAMES }, (_, n) =>
      event('job:x', { channels: [`machine:${n}`] }),
    )

    const { narrowing } = use(...many)

    expect(narrowing.seenChannels.value).toHaveLength(MOST_NAMES)
  })

  it('asks for nothing special where nothing is picked, and leaves the very list', () => {
    const { items, narrowing } = use(event('job:created'))

    expect(narrowing.wish.value).toEqual({ channels: undefined, types: undefined, mode: 'stream' })
    expect(narrowing.narrow(items.value)).toBe(items.value)
  })

  it('leaves events of a picked channel and a picked type, and every mark', () => {
    const fits = event('job:updated', { channels: ['machine:cnc1'] })
    const mark: StreamItem = { kind: 'mark', key: ++keys, tone: 'gap', text: 'missing' }
    const { items, narrowing } = use(
      event('job:created', { channels: ['machine:cnc1'] }),
      fits,
      event('job:updated', { channels: ['machine:cnc2'] }),
      mark,
    )

    narrowing.channels.value = ['machine:cnc1']
    narrowing.types.value = ['job:updated']

    expect(narrowing.narrow(items.value)).toEqual([fits, mark])
    expect(narrowing.wish.value).toMatchObject({ channels: ['machine:cnc1'], types: ['job:updated'] })
  })

  it('leaves the latest update of each thing, says for how many it stands, and never drops another event', () => {
    const created = event('job:created', { key: 'job/1' })
    const other = event('job:updated', { key: 'job/2' })
    const latest = event('job:updated', { key: 'job/1' })
    const done = event('job:completed', { key: 'job/1' })
    const { items, narrowing } = use(created, event('job:updated', { key: 'job/1' }), other, latest, done)

    narrowing.isLatest.value = true

    expect(narrowing.narrow(items.value)).toEqual([created, other, { ...latest, conflated: 2 }, done])
    expect(narrowing.wish.value.mode).toBe('latest')
  })

  it('shows everything again when it is told to', () => {
    const { items, narrowing } = use(event('job:created'))
    narrowing.types.value = ['job:deleted']
    narrowing.isLatest.value = true

    narrowing.reset()

    expect(narrowing.isNarrowed.value).toBe(false)
    expect(narrowing.narrow(items.value)).toBe(items.value)
  })
})

describe('a wish', () => {
  const all = { channels: undefined, types: undefined, mode: 'stream' } as const

  it.each([
    [{ ...all, channels: ['machine:a'] }, all],
    [
      { ...all, channels: ['machine:a'] },
      { ...all, channels: ['machine:b'] },
    ],
    [{ ...all, types: ['job:created'] }, all],
    [{ ...all, mode: 'latest' as const }, all],
  ])('asks for more after %j', (before, now) => {
    expect(widens(before, now)).toBe(true)
  })

  it.each([
    [all, { ...all, channels: ['machine:a'] }],
    [all, { ...all, mode: 'latest' as const }],
    [
      { ...all, types: ['job:created', 'job:failed'] },
      { ...all, types: ['job:failed'] },
    ],
  ])('asks for no more after %j', (before, now) => {
    expect(widens(before, now)).toBe(false)
  })
})
