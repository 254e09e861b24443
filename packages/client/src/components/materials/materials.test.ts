import { describe, expect, it } from 'vitest'
import { newStrip } from './recipe'
import { stockOf } from './stock'

describe('stock', () => {
  it('is the sum of the strips, against the least there should be', () => {
    const strips = [{ length_mm: 600 }, { length_mm: 300 }, {}]

    expect(stockOf({ strips, min_stock_mm: 1000 })).toEqual({
      total_mm: 900,
      strips: 3,
      least_mm: 1000,
      isLow: true,
    })
    expect(stockOf({ strips, min_stock_mm: 900 }).isLow).toBe(false)
  })

  it('is never low where nobody said how little is too little', () => {
    expect(stockOf({ strips: [], min_stock_mm: null }).isLow).toBe(false)
  })
})

describe('a new strip', () => {
  it('gets an id that no other has', () => {
    const strips = [{ length_mm: '1', position: '1', rest: { id: 's2' } }]

    expect(newStrip(strips).rest.id).toBe('s3')
  })
})
