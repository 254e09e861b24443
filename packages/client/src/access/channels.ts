/** Channel patterns as people type them. */

/** The patterns in a line, apart by commas or spaces; null when there are none, which is no limit. */
export function parseChannels(text: string): string[] | null {
  const patterns = text.split(/[\s,;]+/).filter(Boolean)
  return patterns.length > 0 ? [...new Set(patterns)] : null
}

export function channelsText(channels: readonly string[] | null): string {
  return channels?.join(', ') ?? ''
}
