/** Events as JSON: on the clipboard or in a file. */

import type { MonitorEvent } from '@rmos/monitor-core'

/** The events as they were on the wire, one array. */
export function eventsAsJson(events: readonly MonitorEvent[]): string {
  return JSON.stringify(events.map(withoutCategory), null, 2)
}

export function eventAsJson(event: MonitorEvent): string {
  return JSON.stringify(withoutCategory(event), null, 2)
}

/** Whether it worked: browsers forbid it to pages of other computers that come over plain http. */
export async function copyText(content: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(content)
    return true
  } catch {
    return copyBySelection(content)
  }
}

export function saveAsFile(content: string, name: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Some browsers read the address only after the click was handled.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

/** `rmos-events-2026-11-24-100000.json` */
export function fileName(now: Date): string {
  return `rmos-events-${now.toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '')}.json`
}

/** The category is the first part of the type, added here for handlers. */
function withoutCategory(event: MonitorEvent): Omit<MonitorEvent, 'category'> {
  const { type, data, timestamp, id, offset, channels, key, version, actor } = event
  return { type, data, timestamp, id, offset, channels, key, version, actor }
}

/** The way that also works on plain http. Deprecated, and the only one there. */
function copyBySelection(content: string): boolean {
  const area = document.createElement('textarea')
  area.value = content
  area.setAttribute('readonly', '')
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    area.remove()
  }
}
