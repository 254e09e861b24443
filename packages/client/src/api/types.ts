/** What the stores send and take: one place for every name of the REST interface. */

export type JsonValue = boolean | number | string | null | JsonValue[] | { [key: string]: JsonValue }
export type JsonObject = { [key: string]: JsonValue }

/** The three kinds of entity, by their path under `/api/rmos/stores`. */
export type Kind = 'patterns' | 'joblogs' | 'strip-families'

/** What every entity has. Times are RFC 3339 UTC. */
export interface EntityBase {
  id: string
  /** 1, 2, … : also the ETag of this version. */
  version: number
  created_at: string
  updated_at: string
}

export interface Strip {
  width_mm?: number
  material?: string
  color?: string
}

/** One ring of a rosette. The server requires no key, so a reader must do with whatever is there. */
export interface Ring {
  ring_id?: string | number
  kind?: string
  /** Centre line. */
  radius_mm?: number
  width_mm?: number
  tile_length_mm?: number
  segments?: number
  segment_count?: number
  tile_count?: number
  kerf_mm?: number
  twist_angle_deg?: number
  herringbone_angle_deg?: number
  slice_angle_deg?: number
  strip_family_id?: string
  strips?: Strip[]
}

export interface Geometry {
  soundhole_diameter_mm?: number
  rings?: Ring[]
}

export interface Pattern extends EntityBase {
  name: string
  ring_count: number
  pattern_type: string
  geometry: Geometry
  strip_family_id?: string | null
  metadata?: JsonObject | null
}

/** In the order in which a job usually passes through them. */
export const JOB_STATUSES = [
  'planned',
  'pending',
  'ready',
  'running',
  'held',
  'suspended',
  'interrupted',
  'completed',
  'failed',
  'cancelled',
] as const
export type JobStatus = (typeof JOB_STATUSES)[number]

export const JOB_REASONS = [
  'OPERATIONAL',
  'MATERIAL_SHORTAGE',
  'MACHINE_FAILURE',
  'QUALITY_HOLD',
  'ENGINEERING_CHANGE',
  'GLUE_DRY',
  'OTHER',
] as const
export type JobReason = (typeof JOB_REASONS)[number]

/** Job types the shop knows; any other text is accepted too. */
export const KNOWN_JOB_TYPES = [
  'slice',
  'batch',
  'contour',
  'assembly',
  'glue_up',
  'rosette_slice_batch',
  'rosette_cnc_export',
] as const

export interface Job extends EntityBase {
  job_type: string
  status: JobStatus
  pattern_id?: string | null
  strip_family_id?: string | null
  start_time?: string | null
  end_time?: string | null
  duration_seconds?: number | null
  parameters: JsonObject
  results?: JsonObject | null
  metadata?: JsonObject | null
  machine_id?: string | null
  project_id?: string | null
  operator?: string | null
  /** 0 to 1. */
  progress?: number | null
  reason?: JobReason | null
  note?: string | null
  good_qty?: number | null
  scrap_qty?: number | null
  rework_qty?: number | null
}

export interface StockStrip {
  id?: string
  length_mm?: number
  position?: number
  [key: string]: JsonValue | undefined
}

export const LANES = ['experimental', 'tuned_v1', 'tuned_v2', 'safe', 'archived'] as const

export interface StripFamily extends EntityBase {
  name: string
  strip_width_mm: number
  strip_thickness_mm: number
  material_type: string
  strips: StockStrip[]
  metadata?: JsonObject | null
  lane?: string | null
  min_stock_mm?: number | null
  materials?: JsonObject[] | null
}

/** The entity of a kind. */
export interface EntityOf {
  patterns: Pattern
  joblogs: Job
  'strip-families': StripFamily
}
export type AnyEntity = EntityOf[Kind]

/** What a person may set: everything but what the server gives. */
export type Fields<T extends EntityBase> = Partial<{
  [K in Exclude<keyof T, keyof EntityBase>]: T[K] | null
}>

/** Every name a kind goes by: in envelopes, in list envelopes, in event types and keys. */
export const KINDS: Record<Kind, { one: string; many: string; category: string }> = {
  patterns: { one: 'pattern', many: 'patterns', category: 'pattern' },
  joblogs: { one: 'joblog', many: 'joblogs', category: 'job' },
  'strip-families': { one: 'strip_family', many: 'strip_families', category: 'material' },
}

export interface HistoryEntry {
  version: number | null
  time: string
  actor: string
  /** The event's type, e.g. `job:updated`. */
  event: string
  /** `path` is a JSON pointer; a missing side was not there. */
  diff: { path: string; from?: JsonValue; to?: JsonValue }[]
}

export interface Preset {
  key: string
  name: string
  description?: string
  geometry: Geometry
}
