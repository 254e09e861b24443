/** The one-use code of a login link: `#login=<code>`, as the server prints it. */

const MARK = '#login='

/** The code in the fragment of an address; null when there is none. */
export function codeIn(hash: string): string | null {
  return hash.startsWith(MARK) && hash.length > MARK.length ? decode(hash.slice(MARK.length)) : null
}

/** The code of this page's address, which has it no more afterwards: it is in no history and in no screenshot. */
export function takeLoginCode(
  location: Pick<Location, 'hash' | 'pathname' | 'search'> = window.location,
  history: Pick<History, 'state' | 'replaceState'> = window.history,
): string | null {
  const code = codeIn(location.hash)
  if (code !== null) history.replaceState(history.state, '', `${location.pathname}${location.search}`)
  return code
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
