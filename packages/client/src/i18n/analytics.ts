/** The words of the analytics pages. Apart from the others, because only who opens these pages needs to load them. */

import { analyticsEn, type AnalyticsCatalogue } from './en.analytics'

export const t: AnalyticsCatalogue = analyticsEn
