/** The language of the app. `t` is read everywhere; a second language is chosen here. */

import { en, type Catalogue } from './en'

export const t: Catalogue = en
export const locale = 'en'
export type { Catalogue }

/** The word for a name that the server uses; the name itself where the catalogue has none. */
export function wordFor(words: Readonly<Record<string, string>>, name: string): string {
  return words[name] ?? name
}
