/** The words of the history. Apart from the others, because only who opens the page needs to load them. */

import { historyEn, type HistoryCatalogue } from './en.history'

export const t: HistoryCatalogue = historyEn
