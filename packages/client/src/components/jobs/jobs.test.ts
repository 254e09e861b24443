import { describe, expect, it } from 'vitest'
import { JOB_STATUSES, type Job } from '@/api/types'
import { jobRecipe } from './recipe'
import { timingOf } from './timing'
import { actionsFor, fieldsFor } from './transitions'

function job(more: Partial<Job>): Job {
  return {
    id: 'j1',
    version: 1,
    job_type: 'slice',
    status: 'pending',
    parameters: { speed: 12 },
    created_at: '2026-11-24T08:00:00.000Z',
    updated_at: '2026-11-24T08:00:00.000Z',
    ...more,
  }
}

describe('what can be done with a job', () => {
  it.each(JOB_STATUSES)('never leads from %s to where it is already', (status) => {
    for (const action of actionsFor(status)) expect(fieldsFor(action).status).not.toBe(status)
  })

  it('reopens only what has ended, and says so to the server', () => {
    const reopening = JOB_STATUSES.filter((status) => actionsFor(status).includes('reopen'))

    expect(reopening).toEqual(['completed', 'failed', 'cancelled'])
    expect(fieldsFor('reopen')).toMatchObject({ reopen: true })
  })

  it('takes the reason of a hold away when the work goes on', () => {
    expect(fieldsFor('resume')).toEqual({ status: 'running', reason: null })
  })
})

describe('the time that matters about a job', () => {
  const now = Date.parse('2026-11-24T09:05:00.000Z')

  it.each([
    [{ status: 'running', start_time: '2026-11-24T09:00:00.000Z' }, 'for 5\u00A0min 00\u00A0s'],
    [
      { status: 'completed', start_time: '2026-11-24T08:00:00.000Z', duration_seconds: 3700 },
      'took 1\u00A0h 01\u00A0min',
    ],
    [{ status: 'pending' }, '1 hour ago'],
  ] as const)('of %j is "%s"', (more, words) => {
    expect(timingOf(job(more), now)).toBe(words)
  })
})

describe('a job in its form', () => {
  it('refuses parameters that are no object, and names the field', () => {
    const draft = { ...jobRecipe.toDraft(job({})), parameters: '[1]' }

    expect(jobRecipe.toFields(draft).problems).toMatchObject([{ pointer: '/parameters' }])
  })

  it('comes out as it went in', () => {
    const { fields, problems } = jobRecipe.toFields(jobRecipe.toDraft(job({ operator: 'Ana', good_qty: 3 })))

    expect(problems).toEqual([])
    expect(fields).toMatchObject({
      job_type: 'slice',
      operator: 'Ana',
      good_qty: 3,
      parameters: { speed: 12 },
    })
  })
})
