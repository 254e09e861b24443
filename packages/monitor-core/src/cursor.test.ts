import { describe, expect, it } from 'vitest'
import { CursorMemory, parseCursor } from './cursor'

describe('CursorMemory', () => {
  it('keeps one cursor for each address', () => {
    const items = new Map<string, string>()
    const store = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    }

    new CursorMemory(store, 'ws://a').save({ epoch: 'k3', offset: 7 })

    expect(new CursorMemory(store, 'ws://a').load()).toEqual({ epoch: 'k3', offset: 7 })
    expect(new CursorMemory(store, 'ws://b').load()).toBeNull()
    new CursorMemory(store, 'ws://a').save(null)
    expect(items.size).toBe(0)
  })

  it('does without a store that refuses', () => {
    const refuse = () => {
      throw new DOMException('denied', 'SecurityError')
    }
    const memory = new CursorMemory({ getItem: refuse, setItem: refuse, removeItem: refuse }, 'ws://a')

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
