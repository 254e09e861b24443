/**
 * Reads the fields of a draft and collects what is wrong with them.
 *
 * A form writes `const read = new DraftReader()`, reads each field with it, and looks at `read.problems` at the end.
 */

import type { FieldProblem } from '@/api/errors'
import type { JsonObject } from '@/api/types'
import { t } from '@/i18n'
import { NOT_A_NUMBER, parseNumber, textOrNull } from './numbers'

export class DraftReader {
  readonly problems: FieldProblem[] = []

  /** Text that must be there; empty (and a problem) when it is not. */
  required(pointer: string, text: string): string {
    const value = textOrNull(text)
    if (value === null) this.#problem(pointer, t.errors.required)
    return value ?? ''
  }

  number(pointer: string, text: string): number | null {
    const value = parseNumber(text)
    if (value !== NOT_A_NUMBER) return value
    this.#problem(pointer, t.errors.notANumber)
    return null
  }

  requiredNumber(pointer: string, text: string): number | null {
    const value = this.number(pointer, text)
    if (text.trim() === '') this.#problem(pointer, t.errors.required)
    return value
  }

  /** A JSON object; null when empty. */
  object(pointer: string, text: string): JsonObject | null {
    if (text.trim() === '') return null
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
    } catch {
      // Told below, like anything else that is no object.
    }
    this.#problem(pointer, t.errors.notJson)
    return null
  }

  #problem(pointer: string, detail: string): void {
    this.problems.push({ pointer, detail })
  }
}

/** The object as text to edit; empty when there is nothing in it. */
export function objectText(value: JsonObject | null | undefined): string {
  return value && Object.keys(value).length > 0 ? JSON.stringify(value, null, 2) : ''
}
