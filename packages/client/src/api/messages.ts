/** What to tell a person about an error, and what they can do. */

import { t } from '@/i18n'
import { ApiError } from './errors'

export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return t.errors.server(String(error), null)
  if (error.isUnreachable) return t.errors.unreachable
  if (error.status === 401) return t.errors.loggedOut
  if (error.code === 'forbidden') return t.errors.forbidden
  if (error.isTemporary) return t.errors.temporary(error.message)
  return error.status >= 500
    ? t.errors.server(error.message, error.requestId)
    : t.errors.client(error.message.replace(/\.$/, ''))
}
