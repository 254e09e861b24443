/** What a person types, read and written as the values of the stores. */

/** Stands for text that is no number. */
export const NOT_A_NUMBER = Symbol('not a number')

/** The number typed, with a decimal point or comma; null when empty. */
export function parseNumber(text: string): number | null | typeof NOT_A_NUMBER {
  const trimmed = text.trim().replace(',', '.')
  if (trimmed === '') return null
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : NOT_A_NUMBER
}

export function numberText(value: unknown): string {
  return typeof value === 'number' ? String(value) : ''
}

/** Trimmed text; null when there is none. */
export function textOrNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim()
}
