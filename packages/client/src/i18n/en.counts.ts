/** How the sentences of the analytics pages tell numbers in English. */

import { formatCount, formatPercent } from './format'

/** E.g. `1 job`, `2,104 jobs`. */
export const count = (n: number, one: string, many: string) => `${formatCount(n)} ${n === 1 ? one : many}`

export const jobs = (n: number) => count(n, 'job', 'jobs')

/** How much something rests on; kept on one line. */
export const sample = (n: number) => `n\u00A0=\u00A0${formatCount(n)}`

export const percent = (rate: number | null) => (rate === null ? 'not known' : formatPercent(rate))
