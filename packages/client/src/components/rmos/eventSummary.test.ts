import { categoryOf, type JsonObject, type MonitorEvent } from '@rmos/monitor-core'
import { describe, expect, it } from 'vitest'
import { summaryOf } from './eventSummary'

function event(type: string, data: JsonObject, key: string | null = null): MonitorEvent {
  const category = categoryOf(type)
  if (category === null) throw new Error(`no category in ${type}`)
  return {
    type,
    category,
    data,
    timestamp: '',
    id: null,
    offset: null,
    channels: [],
    key,
    version: null,
    actor: null,
  }
}

const slice = { job_type: 'slice', machine_id: 'cnc1', status: 'running' }

describe('summaryOf', () => {
  it.each([
    ['job:completed', { ...slice, duration_seconds: 45.3 }, 'slice job on cnc1 completed in 45\u00A0s'],
    ['job:completed', { job_type: 'glue_up' }, 'glue up job completed'],
    ['job:created', { ...slice, status: 'pending' }, 'slice job on cnc1 created'],
    ['job:created', slice, 'slice job on cnc1 created, running'],
    ['job:updated', { ...slice, progress: 0.42 }, 'slice job on cnc1 → running, 42 %'],
    ['job:updated', { ...slice, status: 'held', reason: 'GLUE_DRY' }, 'slice job on cnc1 → held: glue dry'],
    [
      'job:failed',
      { ...slice, reason: 'MACHINE_FAILURE', note: 'belt' },
      'slice job on cnc1 failed: machine failure, belt',
    ],
    ['job:deleted', { ...slice, project_id: 'p7' }, 'slice job for p7 on cnc1 deleted'],
    ['job:deleted', slice, 'slice job on cnc1 deleted'],
    ['job:stalled', slice, 'slice job on cnc1: stalled'],
    ['job:custom_status', { id: 'job-123', message: 'Blade changed' }, 'custom status: Blade changed'],
    ['pattern:created', { name: 'Torres', ring_count: 1 }, '“Torres” created, 1 ring'],
    ['pattern:deleted', { name: 'Torres', ring_count: 3 }, '“Torres” deleted'],
    ['pattern:checked', { name: 'Torres', message: 'all rings fit' }, '“Torres”: all rings fit'],
    [
      'material:updated',
      { name: 'Lot 7', material_type: 'maple', strips: [{}, {}] },
      '“Lot 7” updated, 2 strips of maple',
    ],
    ['metrics:snapshot', { jobs: { wip: 3, running: [{}, {}] } }, '2 running, 3 jobs in work'],
    ['metrics:anomaly', { message: 'cnc1 is slow' }, 'anomaly: cnc1 is slow'],
  ] satisfies [string, JsonObject, string][])('of %s with %j is %s', (type, data, expected) => {
    expect(summaryOf(event(type, data))).toBe(expected)
  })

  it('names the thing of an event that says nothing else', () => {
    expect(summaryOf(event('job:ping', {}, 'job/7'))).toBe('ping: job/7')
  })

  it('is short, however long the name', () => {
    expect(summaryOf(event('pattern:created', { name: 'x'.repeat(500) })).length).toBeLessThan(110)
  })

  it('does with data of any shape', () => {
    for (const type of ['job:updated', 'pattern:updated', 'material:updated', 'metrics:snapshot']) {
      const odd = { name: 3, job_type: [], jobs: null, strips: {}, ring_count: 'many' }
      expect(summaryOf(event(type, odd))).not.toBe('')
    }
  })
})
