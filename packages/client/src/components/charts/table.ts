/** What a chart shows, as a table: for screen readers, for who wants the numbers, and as a CSV file. */

export type Cell = string | number | null

export interface Column {
  label: string
  /** How people read its values; the file has them as they are. */
  format?: (value: number) => string
}

export interface ChartTable {
  columns: readonly Column[]
  rows: readonly (readonly Cell[])[]
}

/** A table with one row for each thing: of each column its label, and the value of a thing. */
export function tableOf<T>(
  things: readonly T[],
  columns: readonly (Column & { of: (thing: T) => Cell })[],
): ChartTable {
  return { columns, rows: things.map((thing) => columns.map((column) => column.of(thing))) }
}

/** What stands where nothing is known. */
export const NOTHING = '–'

export function shownCell(column: Column, cell: Cell): string {
  if (cell === null) return NOTHING
  if (typeof cell === 'string') return cell
  return column.format ? column.format(cell) : String(cell)
}

/** RFC 4180. Begins with a mark that tells spreadsheets that it is UTF-8. */
export function csvOf(table: ChartTable): string {
  const header = table.columns.map((column) => column.label)
  return '\uFEFF' + [header, ...table.rows].map((row) => row.map(csvCell).join(',') + '\r\n').join('')
}

function csvCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  // A spreadsheet takes these beginnings for formulas; names of machines and patterns are anybody's.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** `rmos-failures-2026-11-24.csv` */
export function chartFileName(name: string, now: Date, ending: 'csv' | 'png'): string {
  const words = name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
  return `rmos-${words}-${now.toISOString().slice(0, 10)}.${ending}`
}
