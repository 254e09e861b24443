import { describe, expect, it } from 'vitest'
import { ref } from 'vue'
import { useRowsInSight } from './useRowsInSight'

const ROW_PX = 40

/** A list of ten rows' height, scrolled to a row. */
function listAt(row: number): HTMLElement {
  const list = document.createElement('div')
  Object.defineProperty(list, 'clientHeight', { value: 10 * ROW_PX })
  list.scrollTop = row * ROW_PX
  return list
}

function rowsOf(list: HTMLElement, count: () => number = () => 5000, isAtEnd = false) {
  const rows = useRowsInSight(
    ref(list),
    count,
    () => ROW_PX,
    () => isAtEnd,
  )
  rows.look()
  return rows
}

describe('rows in sight', () => {
  it('exist, with some beyond each edge, and no others', () => {
    const { from, to } = rowsOf(listAt(2000))

    expect([from.value, to.value]).toEqual([1988, 2023])
  })

  it('end with the list', () => {
    const first = rowsOf(listAt(0))
    const last = rowsOf(listAt(4990))

    expect([first.from.value, first.to.value]).toEqual([0, 23])
    expect([last.from.value, last.to.value]).toEqual([4977, 5000])
  })

  it('are those of the end as soon as rows are added there, where the end is followed', () => {
    const count = ref(4000)
    const rows = rowsOf(listAt(3990), () => count.value, true)

    count.value = 5000

    expect(rows.to.value).toBe(5000)
  })

  it('are all of a short list', () => {
    const { from, to } = rowsOf(listAt(0), () => 3)

    expect([from.value, to.value]).toEqual([0, 3])
  })

  it.each([
    ['above', 1990, 1990],
    ['below', 2020, 2011],
    ['in sight', 2003, 2000],
  ])('move no further than needed for a row %s', (_where, row, firstRow) => {
    const list = listAt(2000)
    const { reveal } = rowsOf(list)

    reveal(row)

    expect(list.scrollTop).toBe(firstRow * ROW_PX)
  })
})
