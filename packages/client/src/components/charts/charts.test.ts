import { describe, expect, it } from 'vitest'
import { signsWithRoom } from './controlDrawing'
import { everyNth, linear, logarithmic, ticks, wholeTicks } from './scale'
import { chartFileName, csvOf, shownCell, tableOf } from './table'
import { fitted } from './text'

describe('a scale', () => {
  it('leads from values to places, also backwards', () => {
    expect(linear([0, 10], [100, 0])(2.5)).toBe(75)
    expect(linear([3, 3], [0, 10])(3)).toBe(5)
  })

  it('of ratios puts equal multiples at equal distances', () => {
    const x = logarithmic([1, 100], [0, 200])
    expect(x(10)).toBeCloseTo(100)
  })
})

describe('ticks', () => {
  it.each([
    [0, 43, 4, [0, 20, 40, 60]],
    [0, 0.9, 4, [0, 0.5, 1]],
    [-3, 7, 5, [-4, -2, 0, 2, 4, 6, 8]],
    [5, 5, 2, [0, 5]],
    [0, 0, 2, [0, 0.5, 1]],
    [Number.NaN, 1, 4, []],
  ])('from %d to %d, about %d of them', (from, to, count, expected) => {
    expect(ticks(from, to, count)).toEqual(expected)
  })

  it('of counts are whole', () => {
    expect(wholeTicks(2, 4)).toEqual([0, 1, 2])
    expect(wholeTicks(0, 4)).toEqual([0, 1])
    expect(wholeTicks(120, 4)).toEqual([0, 50, 100, 150])
  })

  it('leave each label its room', () => {
    expect(everyNth(30, 300, 60)).toBe(6)
    expect(everyNth(4, 1000, 60)).toBe(1)
  })
})

describe('a table of things', () => {
  it('has a row for each, and in each column one value of it', () => {
    const table = tableOf(
      [{ name: 'maple', n: 2 }],
      [
        { label: 'Name', of: ({ name }) => name },
        { label: 'n', of: ({ n }) => n, format: (n) => `${n} ×` },
      ],
    )

    expect(table.rows).toEqual([['maple', 2]])
    expect(table.columns.map((column) => column.label)).toEqual(['Name', 'n'])
  })
})

describe('a chart as CSV', () => {
  it('quotes what needs it, leaves out what is unknown, and writes numbers as they are', () => {
    const table = {
      columns: [{ label: 'Name' }, { label: 'Share, %', format: (value: number) => `${value} %` }],
      rows: [
        ['a, "b"', 12.5],
        ['plain', null],
      ],
    }

    expect(csvOf(table)).toBe('\uFEFFName,"Share, %"\r\n"a, ""b""",12.5\r\nplain,\r\n')
  })

  it('is no formula for a spreadsheet, whatever a machine is called', () => {
    expect(csvOf({ columns: [{ label: 'x' }], rows: [['=1+1'], [-1]] })).toBe("\uFEFFx\r\n'=1+1\r\n-1\r\n")
  })

  it('has a name of its own', () => {
    expect(chartFileName('Control chart: Duration', new Date('2026-11-24T10:00:00Z'), 'png')).toBe(
      'rmos-control-chart-duration-2026-11-24.png',
    )
  })

  it('is shown with units and a dash for what is not known', () => {
    const column = { label: 'Share', format: (value: number) => `${value} %` }
    expect([shownCell(column, 5), shownCell(column, null), shownCell(column, 'text')]).toEqual([
      '5 %',
      '–',
      'text',
    ])
  })
})

describe('signs of a control chart', () => {
  const sign = (x: number, y = 100) => ({ x, y, isBelow: false, code: 'N2' })
  const widthOf = () => 16

  it('that stand apart are all labelled', () => {
    const signs = [sign(0), sign(40), sign(80)]
    expect(signsWithRoom(signs, signs, widthOf)).toEqual(signs)
  })

  it('in a dense run are labelled at its peaks', () => {
    const signs = [sign(0), sign(7, 90), sign(14, 60), sign(21, 90), sign(28)]
    expect(signsWithRoom(signs, signs, widthOf)).toEqual([signs[2]])
  })

  it('are not labelled over a point of the line, and below the line downwards', () => {
    const below = { ...sign(0), isBelow: true }
    expect(signsWithRoom([sign(0)], [{ x: 4, y: 78 }], widthOf)).toEqual([])
    expect(signsWithRoom([below], [{ x: 4, y: 78 }], widthOf)).toEqual([below])
  })
})

describe('a text in a drawing', () => {
  it('is shortened where there is no room', () => {
    expect(fitted('Herringbone', 200)).toBe('Herringbone')
    expect(fitted('Herringbone', 46)).toBe('Herri…')
  })
})
