/** Jobs that make progress evenly, many times a second. */

import { setTimeout as sleep } from 'node:timers/promises'

/** Requests a second and updates in each: 1,000 updates a second, and never many at once. */
const REQUESTS_A_S = 20
const UPDATES = 50
const BULK = '/api/rmos/stores/bulk'

/** Create running jobs. Returns their ids. */
export async function createJobs(url: string, count: number): Promise<string[]> {
  const operations = Array.from({ length: count }, (_, index) => ({
    op: 'create',
    entity: 'joblog',
    data: { job_type: 'slice', status: 'running', machine_id: `cnc${1 + (index % 4)}`, progress: 0 },
  }))
  const { results } = (await send(url, operations)) as { results: { id: string }[] }
  return results.map(({ id }) => id)
}

/** Update the jobs in turn for so long. What is late is made up for at once. Returns the number of updates. */
export async function writeSteadily(url: string, jobs: readonly string[], forMs: number): Promise<number> {
  const requests = Math.round((forMs / 1000) * REQUESTS_A_S)
  const began = performance.now()
  for (let request = 0; request < requests; request += 1) {
    const dueInMs = began + (request / REQUESTS_A_S) * 1000 - performance.now()
    if (dueInMs > 0) await sleep(dueInMs)
    const operations = Array.from({ length: UPDATES }, (_, index) => {
      const update = request * UPDATES + index
      const round = 1 + Math.floor(update / jobs.length)
      return {
        op: 'update',
        entity: 'joblog',
        id: jobs[update % jobs.length],
        // Differs from that of the round before, as a change of nothing is no event.
        data: { progress: (round % 1000) / 1000 },
      }
    })
    await send(url, operations)
  }
  return requests * UPDATES
}

async function send(url: string, operations: readonly object[]): Promise<unknown> {
  const answer = await fetch(`${url}${BULK}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ operations }),
  })
  if (!answer.ok) throw new Error(`POST ${BULK}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
