/** Finding events by words, wherever in them these stand. */

import type { MonitorEvent } from '@rmos/monitor-core'
import { summaryOf } from './eventSummary'

/** The words of a search, in lower case. */
export function wordsOf(query: string): readonly string[] {
  return query.toLowerCase().split(/\s+/).filter(Boolean)
}

/** Whether all words occur in the event. */
export function hasWords(event: MonitorEvent, words: readonly string[]): boolean {
  return words.every((word) => searchText(event).includes(word))
}

/** What a search looks at, made when it is first needed. */
const searchTexts = new WeakMap<MonitorEvent, string>()

function searchText(event: MonitorEvent): string {
  const known = searchTexts.get(event)
  if (known !== undefined) return known
  const { type, key, actor, channels, data } = event
  const made = [type, key, actor, ...channels, summaryOf(event), JSON.stringify(data)].join(' ').toLowerCase()
  searchTexts.set(event, made)
  return made
}
