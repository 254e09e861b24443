/** One line about an event for a person, e.g. `slice job on cnc1 completed in 45 s`. */

import type { JsonObject, JsonValue, MonitorEvent } from '@rmos/monitor-core'
import { text } from './text'

/** Longest name or note that is shown in a line. */
const MAX_LENGTH = 80

export function summaryOf(event: MonitorEvent): string {
  const name = event.type.slice(event.category.length + 1)
  switch (event.category) {
    case 'job':
      return aboutJob(name, event)
    case 'pattern':
      return aboutNamed(name, event, counted(event.data.ring_count, text.rings))
    case 'material':
      return aboutNamed(name, event, aboutStrips(event.data))
    case 'metrics':
      return name === 'snapshot' ? aboutSnapshot(event.data) : aboutCustom(name, event)
  }
}

function aboutJob(name: string, event: MonitorEvent): string {
  const { job_type, project_id, machine_id, status, duration_seconds, progress, reason, note } = event.data
  if (typeof job_type !== 'string') return aboutCustom(name, event)
  const subject = [`${words(job_type)} job`, prefixed('for', project_id), prefixed('on', machine_id)]
    .filter((part) => part !== null)
    .join(' ')
  const why = [lower(reason), shortText(note)].filter((part) => part !== null).join(', ')
  const because = why === '' ? '' : `: ${why}`
  switch (name) {
    case 'created':
      return `${subject} created${status === 'pending' || typeof status !== 'string' ? '' : `, ${status}`}`
    case 'completed':
      return `${subject} completed${typeof duration_seconds === 'number' ? text.job.duration(duration_seconds) : ''}`
    case 'failed':
      return `${subject} failed${because}`
    case 'deleted':
      return `${subject} deleted`
    case 'updated': {
      const percent =
        status === 'running' && typeof progress === 'number' ? `, ${Math.round(progress * 100)} %` : ''
      return `${subject} → ${shortText(status) ?? 'updated'}${percent}${status === 'running' ? '' : because}`
    }
    default:
      return `${subject}: ${shortText(event.data.message) ?? words(name)}`
  }
}

function aboutNamed(name: string, event: MonitorEvent, more: string | null): string {
  const title = shortText(event.data.name)
  if (title === null) return aboutCustom(name, event)
  if (!['created', 'updated', 'deleted'].includes(name)) {
    return `“${title}”: ${shortText(event.data.message) ?? words(name)}`
  }
  return `“${title}” ${name}${more === null || name === 'deleted' ? '' : `, ${more}`}`
}

function aboutStrips({ strips, material_type }: JsonObject): string | null {
  const of = shortText(material_type)
  const many = Array.isArray(strips) ? text.strips(strips.length) : null
  return many !== null && of !== null ? `${many} of ${of}` : (many ?? of)
}

function aboutSnapshot(data: JsonObject): string {
  const jobs = isObject(data.jobs) ? data.jobs : {}
  const parts = [
    Array.isArray(jobs.running) ? text.running(jobs.running.length) : null,
    counted(jobs.wip, text.inWork),
  ].filter((part) => part !== null)
  return parts.length === 0 ? 'snapshot' : parts.join(', ')
}

/** An event somebody's program made: its message, else its name and what it is about. */
function aboutCustom(name: string, event: MonitorEvent): string {
  const about = event.key ?? shortText(event.data.id)
  return [words(name), shortText(event.data.message) ?? about].filter((part) => part !== null).join(': ')
}

function prefixed(word: string, value: JsonValue | undefined): string | null {
  const name = shortText(value)
  return name === null ? null : `${word} ${name}`
}

function counted(value: JsonValue | undefined, say: (n: number) => string): string | null {
  return typeof value === 'number' ? say(value) : null
}

function lower(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? words(value.toLowerCase()) : null
}

function words(name: string): string {
  return name.replaceAll('_', ' ')
}

function shortText(value: JsonValue | undefined): string | null {
  if (typeof value !== 'string' || value === '') return null
  return value.length > MAX_LENGTH ? `${value.slice(0, MAX_LENGTH - 1)}…` : value
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
