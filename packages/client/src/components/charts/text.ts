/** Text in a drawing, which does not break or shorten by itself. */

/** Mean width of a letter at 13 px, in px. A little too much rather than too little: nothing is cut off in the middle. */
const LETTER_PX = 7.6

/** The text, shortened where it is wider than `width` px. */
export function fitted(text: string, width: number): string {
  const letters = Math.floor(width / LETTER_PX)
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1)).trimEnd()}…`
}

/** About how wide a text is, in px. */
export function widthOf(text: string): number {
  return text.length * LETTER_PX
}
