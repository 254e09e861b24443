import { describe, expect, it } from 'vitest'
import { exportAddress } from './access'

describe('the address of an export', () => {
  it('has no bounds where no day is given', () => {
    expect(exportAddress('', '')).toBe('/api/rmos/audit/export')
  })

  it('goes from the first to the last moment of the days of this browser', () => {
    const query = new URL(exportAddress('2026-11-02', '2026-11-02'), 'http://server').searchParams

    expect(query.get('from')).toBe(new Date(2026, 10, 2).toISOString())
    expect(query.get('to')).toBe(new Date(2026, 10, 2, 23, 59, 59, 999).toISOString())
  })
})
