import { describe, expect, it } from 'vitest'
import type { HistoryEntry } from '@/api/types'
import { diffLines } from './diff'

function entry(diff: HistoryEntry['diff']): HistoryEntry {
  return { version: 2, time: '2026-11-24T08:00:00.000Z', actor: 'local', event: 'job:updated', diff }
}

describe('the changes of a version', () => {
  it('are named as on the forms, with their values as people read them', () => {
    const { shown } = diffLines(
      entry([
        { path: '/status', from: 'pending', to: 'running' },
        { path: '/progress', from: null, to: 0.25 },
        { path: '/geometry/rings/0/width_mm', from: 2, to: 2.5 },
        { path: '/note', from: 'old', to: null },
      ]),
    )

    expect(shown.map(({ label, from, to }) => [label, from, to])).toEqual([
      ['Status', 'pending', 'running'],
      ['Progress', null, '25 %'],
      ['Geometry › Rings › 1 › Width', '2', '2.5'],
      ['Note', 'old', null],
    ])
  })

  it('leave out what changes every time', () => {
    const diff = [
      { path: '/version', from: 1, to: 2 },
      { path: '/updated_at', from: 'a', to: 'b' },
    ]

    expect(diffLines(entry(diff))).toEqual({ shown: [], hidden: 0 })
  })

  it('are cut where nobody would read on', () => {
    const diff = Array.from({ length: 30 }, (_, index) => ({
      path: `/parameters/p${index}`,
      to: 'x'.repeat(200),
    }))

    const { shown, hidden } = diffLines(entry(diff))

    expect(shown.length + hidden).toBe(30)
    expect(shown.every((line) => (line.to?.length ?? 0) <= 60)).toBe(true)
  })
})
