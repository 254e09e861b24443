/** The figures under `/api/analytics`: what is asked, and the parts of the answers that the screens show. */

import { request } from './http'
import type { JobStatus } from './types'

const PREFIX = '/api/analytics'

/** Parameters of a question; what is null or empty is not asked. */
export type Asked = Readonly<Record<string, string | number | null | undefined>>

/** The answer is taken at its word: the server's own tests hold it to its reference. */
export async function getFigures<T>(path: string, asked: Asked, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) {
    if (value !== null && value !== undefined && value !== '') query.set(name, String(value))
  }
  const text = query.toString()
  const answer = await request(`${PREFIX}/${path}${text ? `?${text}` : ''}`, signal ? { signal } : {})
  return answer.body as T
}

export async function predict(asked: {
  jobType?: string
  material?: string
  toolDiameter?: number
}): Promise<Prediction> {
  const answer = await request(`${PREFIX}/advanced/predict`, { method: 'POST', body: asked })
  return answer.body as Prediction
}

/** Rates and percentages are 0 to 100, durations seconds, lengths millimetres, unless a comment says otherwise. */

export interface Outcome {
  total: number
  completed: number
  failed: number
  success_rate: number | null
}

export interface Trends {
  trends: (Outcome & { date: string })[]
  overall: Outcome
}

export interface Throughput {
  completed_jobs: number
  per_day: number
  per_week: number
  peak_day: { date: string; count: number } | null
}

export interface Durations {
  job_types: {
    job_type: string
    count: number
    min_seconds: number
    max_seconds: number
    avg_seconds: number
    median_seconds: number
  }[]
}

export interface Statuses {
  by_status: Record<JobStatus, { count: number; percentage: number }>
  total_jobs: number
  wip: number
}

export interface JobTypes {
  job_types: { job_type: string; count: number; success_rate: number | null }[]
}

export interface Flow {
  wip: number
  exits: number
  untimed_exits: number
  /** Per second. */
  exit_rate_s: number
  cycle_time_s: number | null
  average_wip: number
  expected_wip: number | null
  residual: number | null
}

interface FailureGroup {
  failed: number
  completed: number
  failure_rate: number
}

export interface Failures {
  total_failures: number
  by_type: (FailureGroup & { job_type: string })[]
  by_pattern: (FailureGroup & { pattern_id: string })[]
  by_machine: (FailureGroup & { machine_id: string })[]
  by_material: (FailureGroup & { material_type: string })[]
  by_reason: { reason: string | null; failed: number; percentage: number }[]
}

export type By = 'machine' | 'project' | 'pattern' | 'job_type' | 'shift'

/** Ratios are shares of 1. */
export interface ShopFigures {
  produced: number
  availability: number | null
  effectiveness: number | null
  quality: number | null
  oee: number | null
  scrap_ratio: number | null
  rework_ratio: number | null
  first_pass_yield: number | null
  mtbf_s: number | null
  mttr_s: number | null
  elements: {
    pbt_s: number
    apt_s: number
    ended_jobs: number
    untimed_jobs: number
    planned_jobs: number
    good: number
    scrap: number
    rework: number
    first_pass: number
    failures: number
    repairs: number
    repair_s: number
  }
}

export type ShopGroup = ShopFigures & Partial<Record<By, string | null>>

/** A shift of the settings. `days` are those on which it begins, 1 (Monday) to 7; times are `06:00`. */
export interface Shift {
  name: string
  days: number[]
  start: string
  end: string
}

export interface ShopAnswer {
  by: By
  /** What the planned time comes from. */
  planned_by: 'shifts' | 'hours'
  /** Those of the settings, whether or not they count here. */
  shifts: Shift[]
  days: number
  working_days: number
  groups: ShopGroup[]
  count: number
  total: ShopFigures
}

export type Cause = { amount: number; percentage: number; cumulative: number } & Partial<
  Record<By | 'reason', string | null>
>

export interface Losses {
  scrap: Cause[]
  scrap_by_reason: Cause[]
  downtime_s: Cause[]
  downtime_by_reason_s: Cause[]
  stops: number
  open_stops: number
  waiting_s: number
}

export interface SuccessWindow {
  start: string
  end: string
  completed: number
  failed: number
  success_rate: number | null
  expected_rate: number | null
  z_score: number | null
  severity: string | null
  too_few: boolean
}

export interface SuccessAnomalies {
  windows: SuccessWindow[]
  anomalies: SuccessWindow[]
  n: number
  too_few: boolean
}

export interface DurationAnomaly {
  job_id: string
  job_type: string
  pattern_id: string | null
  moment: string
  duration_seconds: number
  z_score: number | null
  robust_z: number | null
  severity: string
}

export interface DurationAnomalies {
  anomalies: DurationAnomaly[]
  count: number
  n: number
  too_few: boolean
  groups: {
    job_type: string
    pattern_id: string | null
    n: number
    median_seconds: number
    too_few: boolean
  }[]
}

export const CHART_MEASURES = ['duration', 'waste', 'kerf_drift', 'success', 'scrap'] as const
export type ChartMeasure = (typeof CHART_MEASURES)[number]
export const CHART_KINDS = ['i_mr', 'xbar_r', 'ewma', 'cusum', 'p', 'u'] as const
export type ChartKind = (typeof CHART_KINDS)[number]

/** The charts of a measure, the usual one first. */
export const CHARTS_OF: Readonly<Record<ChartMeasure, readonly ChartKind[]>> = {
  duration: ['i_mr', 'xbar_r', 'ewma', 'cusum'],
  waste: ['i_mr', 'xbar_r', 'ewma', 'cusum'],
  kerf_drift: ['i_mr', 'xbar_r', 'ewma', 'cusum'],
  success: ['p'],
  scrap: ['u'],
}
/** Charts with a job in each point: these can also show what is left after a forecast. */
export const OF_ONE_JOB: ReadonlySet<ChartKind> = new Set(['i_mr', 'ewma', 'cusum'])

export interface ChartPoint {
  moment: string
  job_ids: string[]
  value: number
  range: number | null
  /** The average of an EWMA chart, both sums of a CUSUM chart. */
  statistic: number | { high: number; low: number } | null
  lower: number | null
  upper: number | null
  phase: 'baseline' | 'judged'
  /** Names of the rules that fired here. */
  signals: string[]
}

export interface ControlChartAnswer {
  measure: ChartMeasure
  chart: ChartKind
  n: number
  baseline: { n: number; frozen: boolean }
  /** Of neighbours in the baseline; null without one, and where a point is more than one job. */
  autocorrelation: number | null
  /** Of a chart of residuals: each forecast is `center` + `weight` times how far the value before was from it. */
  forecast: { center: number; weight: number } | null
  limits: { center: number; sigma: number } | null
  range_limits: { center: number; lower: number; upper: number } | null
  points: ChartPoint[]
  signals: number
  in_control: boolean | null
  error: string | null
  too_few: boolean
}

export interface Summary {
  count: number
  min: number | null
  max: number | null
  avg: number | null
  median: number | null
}

export const COMPLEXITIES = ['simple', 'medium', 'complex', 'expert'] as const
export type Complexity = (typeof COMPLEXITIES)[number]

export interface ComplexityAnswer {
  categories: Record<
    Complexity,
    {
      count: number
      percentage: number
      patterns: { id: string; name: string; score: number }[]
      score_range: [number, number | null]
    }
  >
  total_patterns: number
  avg_complexity: number | null
}

export interface Rings {
  count: number
  avg: number | null
  distribution: Record<string, number>
}

export interface GeometryAnswer {
  total_rings: number
  radius_mm: Summary
  segments: Summary
  ring_density: Summary
}

export interface Popularity {
  top_patterns: {
    id: string
    name: string
    ring_count: number
    job_count: number
    complexity_score: number
  }[]
  used_patterns: number
}

export interface FamilyUse {
  families: { id: string; name: string; material_type: string; pattern_count: number; percentage: number }[]
  unassigned_patterns: number
}

export interface Inventory {
  families: {
    id: string
    name: string
    material_type: string
    strips: number
    stock_mm: number
    min_stock_mm: number | null
    is_low: boolean
  }[]
  total_families: number
  total_strips: number
  total_stock_mm: number
  total_volume_cm3: number
  low_stock: string[]
}

export interface Consumption {
  total_used_mm: number
  reporting_jobs: number
  total_jobs: number
  materials: {
    material_type: string
    used_mm: number
    reporting_jobs: number
    job_count: number
    inventory_mm: number
  }[]
}

export interface Efficiency {
  efficiency_score: number | null
  sample_size: number
  completed_jobs: number
  materials: { material_type: string; efficiency_score: number | null; sample_size: number }[]
}

export interface Suppliers {
  suppliers: { supplier: string; family_count: number; percentage: number; stock_mm: number }[]
  unknown_supplier: number
  total_families: number
}

export interface Dimensions {
  width_mm: Summary
  thickness_mm: Summary
  widths: { strip_width_mm: number; count: number }[]
}

/** Measures that can be compared, as the server names them. */
export const MEASURES = [
  'job.duration_seconds',
  'job.success',
  'job.waste_percentage',
  'job.strip_used_mm',
  'job.good_qty',
  'job.scrap_qty',
  'job.rework_qty',
  'job.kerf_drift_mm',
  'job.tool_diameter_mm',
  'pattern.ring_count',
  'pattern.complexity_score',
  'pattern.segments',
  'pattern.radius_mm',
  'material.strip_width_mm',
  'material.strip_thickness_mm',
  'material.efficiency_score',
] as const
export type Measure = (typeof MEASURES)[number]

export interface Correlations {
  keys: Measure[]
  unit: 'job' | 'pattern' | 'material'
  considered: number
  matrix: Record<string, Record<string, number | null>>
  pairs: { x: Measure; y: Measure; r: number | null; n: number; p_value: number | null }[]
}

export interface Correlation {
  unit: 'job' | 'pattern' | 'material'
  considered: number
  r: number | null
  n: number
  p_value: number | null
  spearman: number | null
  ci95: [number, number] | null
  error?: string
  points: { id: string; x: number; y: number }[]
}

/** When a running job will be done. A moment further off than ten years is null. */
export interface ExpectedEnd {
  expected_end: string | null
  /** Where the end is with 80 %. */
  interval: readonly [string | null, string | null] | null
  /** `pattern`, `job_type`, each with `+progress`; `progress`, `none`. */
  basis: string
  /** Jobs like it that ran longer than it has. */
  n: number
  /** Seconds beyond the interval of all its past; null where these are too few. */
  overrun_s: number | null
}

export interface ExpectedEnds {
  jobs: { id: string; eta: ExpectedEnd }[]
}

export type RiskBand = 'low' | 'medium' | 'high'

export interface Prediction {
  /** 0 to 1. */
  risk_score: number
  risk_percent: number
  band: RiskBand
  interval: [number, number]
  n: number
  basis: string
  steps: { level: string; n: number; failed: number; estimate: number }[]
}

/** Shares of 1. */
export interface PredictionQuality {
  n: number
  learned_first: number
  brier: number | null
  reference_brier: number | null
  skill: number | null
  calibration: { predicted: number | null; observed: number | null; n: number }[]
  too_few: boolean
}
