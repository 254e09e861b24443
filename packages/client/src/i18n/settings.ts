/** The words of the settings. Apart from the others, because only who opens these pages needs to load them. */

import { settingsEn, type SettingsCatalogue } from './en.settings'

export const t: SettingsCatalogue = settingsEn
