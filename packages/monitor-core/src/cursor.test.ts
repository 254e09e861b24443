import { describe, expect, it, vi } from 'vitest'
import { CursorMemory, parseCursor, SAVE_EVERY_MS } from './cursor'
import { FakeEnvironment } from './testing'

describe('CursorMemory', () => {
  it('keeps one cursor for each address', () => {
    const environment = new FakeEnvironment()

    new CursorMemory(environment, 'ws://a').save({ epoch: 'k3', offset: 7 })

    expect(new CursorMemory(environment, 'ws://a').load()).toEqual({ epoch: 'k3', offset: 7 })
    expect(new CursorMemory(environment, 'ws://b').load()).toBeNull()
    new CursorMemory(environment, 'ws://a').save(null)
    expect(environment.items.size).toBe(0)
  })

  it('saves the newest of what comes in quick succession, and the last when it waits no more', async () => {
    const environment = new FakeEnvironment()
    const saved: string[] = []
    vi.spyOn(environment.storage, 'setItem').mockImplementation((_key, cursor) => void saved.push(cursor))
    const memory = new CursorMemory(environment, 'ws://a')
    const save = (offset: number) => memory.save({ epoch: 'k3', offset })

    for (let offset = 1; offset <= 100; offset += 1) save(offset)
    await environment.advance(SAVE_EVERY_MS)
    save(101)
    save(102)
    memory.flush()

    expect(saved).toEqual(['k3:1', 'k3:100', 'k3:102'])
    expect(environment.nextTimerMs).toBeNull()
  })

  it('does without a store that refuses', () => {
    const refuse = () => {
      throw new DOMException('denied', 'SecurityError')
    }
    const environment = new FakeEnvironment()
    Object.assign(environment.storage, { getItem: refuse, setItem: refuse, removeItem: refuse })
    const memory = new CursorMemory(environment, 'ws://a')

    memory.save({ epoch: 'k3', offset: 7 })

    expect(memory.load()).toBeNull()
  })
})

describe('parseCursor', () => {
  it.each([
    '',
    'k3',
    ':7',
    'k3:',
    'k3:-1',
    'k3:7.5',
    'k3:4:5',
    'k3:9223372036854775808',
    `${'k'.repeat(63)}:1`,
  ])('finds no cursor in %j', (text) => {
    expect(parseCursor(text)).toBeNull()
  })
})
