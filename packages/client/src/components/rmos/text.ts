/** Every sentence of the monitor in English. Another language is another object of this type. */

import { formatDuration } from '@/i18n/format'

const numbers = new Intl.NumberFormat('en')
const count = (n: number, one: string, many = `${one}s`) => `${numbers.format(n)} ${n === 1 ? one : many}`

export const text = {
  title: 'Live monitor',
  number: (n: number) => numbers.format(n),
  events: (n: number) => count(n, 'event'),

  connect: 'Connect',
  disconnect: 'Disconnect',
  connectNow: 'Connect now',
  badge: {
    connected: 'Connected',
    disconnected: 'Disconnected',
    connecting: 'Connecting…',
    reconnecting: 'Reconnecting…',
    retryIn: (seconds: number) => `Reconnecting in ${seconds} s`,
    gaveUp: 'Gave up',
  },
  freshness: {
    live: 'live',
    lagging: 'catching up',
    stale: 'stale',
    offline: 'not live',
  },
  notCurrent: (time: string) => `Not current: as of ${time}.`,
  resumes: 'What is missing follows when the connection is back.',
  notResuming: 'Connect to add what is missing.',

  filters: 'Show',
  allShown: 'nothing checked shows everything',
  category: { job: 'Job', pattern: 'Pattern', material: 'Material', metrics: 'Metrics' },

  chips: {
    open: 'Narrow',
    opened: (n: number) => `Narrow (${n})`,
    reset: 'Show everything',
    channels: 'Machines and projects',
    types: 'Types',
    latest: 'Latest update of each thing only',
    nothingSeen: 'Machines, projects and types appear here as soon as an event has them.',
  },

  search: 'Search events',
  clearSearch: 'Clear the search',
  pause: 'Pause',
  resume: 'Resume',
  waiting: (n: number) => `Paused. ${n === 0 ? 'Nothing new yet.' : `${count(n, 'new event')} waiting.`}`,
  copy: 'Copy',
  copyEvent: 'Copy JSON',
  export: 'Export',
  clear: 'Clear',
  undo: 'Undo',
  dismiss: 'Dismiss',
  showAgo: 'Show how long ago',
  shortcuts: 'Keyboard shortcuts',
  more: 'More actions',
  copied: (n: number) => `Copied ${count(n, 'event')} as JSON.`,
  copyFailed: 'The browser does not allow copying here. Use Export instead.',
  exported: (n: number) => `Exported ${count(n, 'event')}.`,
  cleared: (n: number) => `Cleared ${count(n, 'event')}.`,

  stream: 'Events, newest last',
  newer: (n: number) => `${numbers.format(n)} new`,
  toNewest: (n: number) => `${count(n, 'new event')}, go to the newest`,
  backToNewest: 'Newest',
  counts: 'Events by type',
  dropped: (n: number) => `${count(n, 'older event')} dropped, to stay fast`,
  shown: (shown: number, of: number) => `${numbers.format(shown)} of ${count(of, 'event')}`,

  empty: {
    idle: { title: 'Not connected', hint: 'Press Connect to watch the shop.' },
    connecting: { title: 'Connecting', hint: 'Waiting for the server’s first answer.' },
    offline: {
      title: 'The server does not answer',
      hint: 'Is it running? Start it with “make run”; this page connects by itself.',
    },
    gaveUp: { title: 'No connection', hint: 'Press Connect to try again.' },
    unauthorised: {
      title: 'You are not logged in',
      hint: 'Log in, or give this screen a valid token; then press Connect.',
    },
    forbidden: {
      title: 'You may not watch this shop',
      hint: 'Ask an admin for the right to, or whether this address is among the allowed ones; then press Connect.',
    },
    waiting: {
      title: 'Nothing has happened yet',
      hint: 'Create a pattern or a job and it appears here at once, or run “make demo” to watch a small shop at work.',
    },
    noMatch: { title: 'No event matches', hint: 'Change the search, or check and pick something else.' },
  },

  gap: {
    epoch_changed:
      'The server’s log was replaced, by a restore or a new database. What came between may be missing here.',
    expired: 'The server no longer keeps some of the events that happened meanwhile. They are missing here.',
    future_cursor: 'The server’s log is shorter than what was seen here. What came between may be missing.',
    forgotten: (n: number, isAll: boolean, from: string, to: string) =>
      `${isAll ? '' : 'Up to '}${count(n, 'event')} between ${from} and ${to} ${n === 1 ? 'is' : 'are'} not kept any more.`,
    other: (reason: string) => `Events are missing here (${reason}).`,
  },
  range: (from: string, to: string) => `Last seen ${from}, continues after ${to}.`,
  trouble: (message: string) => `Something went wrong: ${message}`,
  filterChanged: (names: readonly string[]) => `From here on: ${names.join(', ')}`,
  everything: 'everything',

  detail: {
    title: 'Event',
    close: 'Close',
    summary: 'Summary',
    time: 'Time',
    type: 'Type',
    actor: 'By',
    key: 'Entity',
    version: 'Version',
    offset: 'Place in the log',
    channels: 'Channels',
    notLogged: 'not in the log',
    none: 'none',
    json: 'Full event',
    copied: 'Copied.',
  },
  changes: {
    title: 'What changed',
    loading: 'Reading the history…',
    failed: (why: string) => `The history could not be read: ${why}.`,
    retry: 'Try again',
    unknown: 'The history has no entry for this version.',
    nothing: 'Nothing besides the version.',
    absent: 'nothing',
    noEntity: 'This event tells of no stored thing, so there is nothing to compare.',
    more: (n: number) => `${count(n, 'more change')}: see the full event.`,
  },

  keys: [
    [['j', '↓'], 'Next event'],
    [['k', '↑'], 'Previous event'],
    [['Enter'], 'Show what changed'],
    [['Esc'], 'Close what is open'],
    [['End'], 'Go to the newest and follow'],
    [['p'], 'Pause or resume'],
    [['/'], 'Search'],
    [['?'], 'Show this help'],
  ] as readonly (readonly [readonly string[], string])[],

  job: {
    created: 'created',
    duration: (seconds: number) => ` in ${formatDuration(seconds)}`,
  },
  rings: (n: number) => count(n, 'ring'),
  strips: (n: number) => count(n, 'strip'),
  running: (n: number) => `${numbers.format(n)} running`,
  conflated: (n: number) => `· latest of ${count(n, 'update')}`,
  leftOut: (n: number) => `${count(n, 'update')} left out for later ones`,
  repeats: (n: number) => `· newest of ${numbers.format(n)} in a row`,
  inWork: (n: number) => `${count(n, 'job')} in work`,
}
