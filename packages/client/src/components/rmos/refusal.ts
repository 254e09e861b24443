/** Why the server lets this screen not in, and what to do about it. */

import { text } from './text'

const UNAUTHORISED: ReadonlySet<number> = new Set([4401, 4408])
const FORBIDDEN = 4403

/** Null where the code is no matter of rights. */
export function refusalOf(code: number | null): { readonly title: string; readonly hint: string } | null {
  if (code === FORBIDDEN) return text.empty.forbidden
  return code !== null && UNAUTHORISED.has(code) ? text.empty.unauthorised : null
}
