/**
 * A small shop with a past of two months, made through the API: 220 jobs on three machines, four patterns, three woods.
 *
 * Planted, for the figures to find: thin tools break on cnc2, ebony makes more waste, one day has many failures, and one job
 * took four times as long as the others of its kind.
 */

import type { Shop } from './server'

const DAY_MS = 86_400_000
const JOBS = 220
const TYPES = ['slice', 'glue_up', 'contour', 'assembly'] as const
const MINUTES = { slice: 16, glue_up: 9, contour: 11, assembly: 24 } as const
const MACHINES = {
  slice: ['cnc1', 'cnc2'],
  contour: ['cnc1', 'cnc2'],
  glue_up: ['bench'],
  assembly: ['bench'],
} as const
const WOODS = ['maple', 'ebony', 'rosewood'] as const
const REASONS = ['MACHINE_FAILURE', 'MACHINE_FAILURE', 'QUALITY_HOLD', 'MATERIAL_SHORTAGE', 'OTHER'] as const

export interface SmallShop {
  patterns: string[]
  families: string[]
  /** Days, UTC, of the newest job and of the day on which most failed. */
  newestDay: string
  badDay: string
}

/** Numbers from 0 to 1, always the same ones. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const day = (time: number) => new Date(time).toISOString().slice(0, 10)

export async function furnishSmallShop(shop: Shop, now = Date.now()): Promise<SmallShop> {
  const families = await Promise.all(
    WOODS.map(async (wood, index) => {
      const strips = Array.from({ length: 3 + 4 * index }, (_, n) => ({
        id: `s${n}`,
        length_mm: 600,
        position: n,
      }))
      const family = await shop.createMaterial({
        name: `${wood.charAt(0).toUpperCase()}${wood.slice(1)} ${['0.5', '0.8', '1.0'][index]}`,
        material_type: wood,
        strip_width_mm: [0.5, 0.8, 1][index],
        strips,
        min_stock_mm: 3000,
        metadata: { supplier: index === 0 ? 'Bergholz' : 'Tonewood & Sons' },
      })
      return family.id
    }),
  )
  const patterns = await Promise.all(
    ['Rope', 'Torres diamond', 'Herringbone', 'Wave with a rather long name'].map(async (name, index) => {
      const rings = Array.from({ length: index + 1 }, (_, ring) => ({
        kind: 'tiles',
        radius_mm: 50 + 4 * ring,
        width_mm: 3,
        segments: 60 + 30 * index,
      }))
      const pattern = await shop.createPattern({
        name,
        geometry: { rings },
        strip_family_id: families[index % 3],
      })
      return pattern.id
    }),
  )
  const random = dice(7)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const badDay = day(now - 12 * DAY_MS)
  const jobs = Array.from({ length: JOBS }, (_, number) => {
    const isOutlier = number === 40
    const drawn = TYPES[Math.floor(random() ** 1.6 * TYPES.length)] ?? 'slice'
    const type = isOutlier ? 'slice' : drawn
    const isBad = number >= JOBS - 12
    // Never in the future, also right after midnight.
    const past = isOutlier ? 5 * DAY_MS : random() * 60 * DAY_MS
    const end = isBad ? now - 12 * DAY_MS - number * 60_000 : now - 3_600_000 - past
    const machine = pick<string>(MACHINES[type])
    const tool = pick([0.6, 1, 2, 3])
    const family = Math.floor(random() * 3)
    const pattern = Math.floor(random() ** 2 * 4)
    const isFailed =
      !isOutlier && random() < (isBad ? 0.7 : 0.05 + (machine === 'cnc2' && tool < 1 ? 0.45 : 0))
    const spread = 0.75 + random() * 0.3 + random() * 0.3
    const seconds = MINUTES[type] * 60 * (isOutlier ? 4 : spread) * (1 + pattern * 0.15)
    const pieces = type === 'slice' ? 10 : 4
    const scrap = isFailed ? pieces : random() < 0.2 ? 1 : 0
    return {
      job_type: type,
      machine_id: machine,
      project_id: `guitar-${1 + Math.floor(random() * 4)}`,
      pattern_id: patterns[pattern],
      strip_family_id: families[family],
      status: isFailed ? 'failed' : number % 40 === 39 ? 'cancelled' : 'completed',
      start_time: new Date(end - seconds * 1000).toISOString(),
      end_time: new Date(end).toISOString(),
      reason: isFailed ? pick(REASONS) : null,
      good_qty: pieces - scrap,
      scrap_qty: scrap,
      rework_qty: !isFailed && random() < 0.12 ? 1 : 0,
      parameters: {
        tool_diameter_mm: tool,
        kerf_mm: 0.3,
        planned_seconds_per_piece: (MINUTES[type] * 60 * 0.9) / pieces,
      },
      results: isFailed
        ? null
        : {
            waste_percentage: Math.round(30 + 20 * random() + (family === 1 ? 40 : 0)) / 10,
            strip_used_mm: Math.round(220 + 90 * random()),
            actual_kerf_mm: Math.round((0.3 + (number % 100) / 2500 + random() * 0.01) * 1000) / 1000,
          },
    }
  })
  jobs.sort((a, b) => a.end_time.localeCompare(b.end_time))
  await shop.createMany('joblog', jobs)
  await addOpenJobs(shop, patterns)
  return { patterns, families, newestDay: jobs.at(-1)?.end_time.slice(0, 10) ?? '', badDay }
}

/** What is under way, and a stop that came to an end. */
async function addOpenJobs(shop: Shop, patterns: readonly string[]): Promise<void> {
  const running = {
    status: 'running',
    job_type: 'slice',
    pattern_id: patterns[0],
    machine_id: 'cnc1',
    progress: 0.4,
  }
  await shop.createJob(running)
  await shop.createJob({ ...running, status: 'held', machine_id: 'cnc2', reason: 'MATERIAL_SHORTAGE' })
  await shop.createJob({ job_type: 'contour' })
  const stopped = await shop.createJob({ ...running, machine_id: 'cnc2' })
  await shop.update('joblogs', stopped.id, { status: 'held', reason: 'MACHINE_FAILURE' })
  await shop.update('joblogs', stopped.id, { status: 'running' })
}
