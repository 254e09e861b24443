/**
 * The Live page under 1,000 events a second: does it draw evenly, show every event and take no more memory with time?
 *
 * Prints one line of JSON. The exit code is 1 when a promise was broken, and stderr says which. The server, its data and
 * the browser are the run's own.
 */

import { chromium, request, type CDPSession, type Page } from '@playwright/test'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { LivePage } from '../e2e/livePage'
import { Shop } from '../e2e/server'
import playwright from '../playwright.config'
import { watchFrames, type Frames, type FrameWatch } from './frames'
import { createJobs, writeSteadily } from './writer'

/** Jobs that are updated in turn. No more than the events that the page begins with, so that it shows the whole log. */
const JOBS = 200
/** Scripts are compiled and lists fill; frames count after it. In milliseconds. */
const WARM_UP_MS = 10_000
/** How long frames are counted without any events, for comparison. In milliseconds. */
const QUIET_MS = 5_000
/** When memory is looked at first; in a run of less than two minutes at half of it. In milliseconds. */
const FIRST_LOOK_MS = 60_000
/** A look at the memory stops the page, and what it missed comes at once: not the page's fault. In milliseconds. */
const RECOVERY_MS = 1_000
/** Time for the last events to arrive, in milliseconds. */
const SETTLE_MS = 30_000
const MOST_FRAME_MS = 50
/** How many times its first size the memory may have at the end. */
const MOST_HEAP_RATIO = 1.1
const LOG = '/api/rmos/monitor/events'

/** What was seen in a run. */
interface Seen {
  /** Without events, and under them. */
  readonly quiet: Frames
  readonly busy: Frames
  /** Events in the log, and events that the page says it has taken in. */
  readonly events: number
  readonly shown: number
  /** Events missing or doubled among the last of the log that the page still shows. */
  readonly faults: number
  /** Megabytes in use after everything that can be was freed. */
  readonly heapMbStart: number
  readonly heapMbEnd: number
}

/** Returns the exit code. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string', default: '10' } } })
  const minutes = Number(values.minutes)
  if (!(minutes >= 0.5)) throw new RangeError(`--minutes ${values.minutes}: expected a number from 0.5 on`)
  const data = await mkdtemp(join(tmpdir(), 'rmos-soak-'))
  const api = await request.newContext()
  // Snapshots are not in the log, with which the page is compared.
  const shop = new Shop(data, api, { RMOS_METRICS_INTERVAL_S: '3600' })
  const browser = await chromium.launch(playwright.use?.launchOptions ?? {})
  try {
    await shop.start()
    const page = await browser.newPage({ baseURL: shop.url })
    const seen = await watch(page, shop.url, minutes * 60_000)
    const broken = brokenPromises(seen)
    for (const promise of broken) process.stderr.write(`${promise}\n`)
    process.stdout.write(`${JSON.stringify(figuresOf(seen, minutes, browser.version()))}\n`)
    return broken.length === 0 ? 0 : 1
  } finally {
    await browser.close()
    await shop.stop()
    await api.dispose()
    await rm(data, { recursive: true, force: true })
  }
}

async function watch(page: Page, url: string, forMs: number): Promise<Seen> {
  const jobs = await createJobs(url, JOBS)
  const live = new LivePage(page)
  await live.open()
  const tools = await page.context().newCDPSession(page)
  const frames = await watchFrames(page, tools)
  await frames.start()
  await sleep(QUIET_MS)
  await frames.stop()
  const quiet = await frames.take()

  const [heapMbStart] = await Promise.all([
    lookAtStart(frames, tools, Math.min(FIRST_LOOK_MS, forMs / 2)),
    writeSteadily(url, jobs, forMs),
  ])
  await frames.stop()
  const busy = await frames.take()

  const events = await headOf(url)
  const shown = await settled(live, events)
  const heapMbEnd = await heapMb(tools)
  const offsets = (await live.exported()).flatMap(({ id, offset }) => (id === null ? [] : [offset]))
  const faults = offsets.filter((offset, index) => offset !== events - offsets.length + 1 + index).length
  return { quiet, busy, events, shown, faults, heapMbStart, heapMbEnd }
}

/** Count frames after the warm-up, but for the look at the memory `lookMs` after the beginning. Returns megabytes. */
async function lookAtStart(frames: FrameWatch, tools: CDPSession, lookMs: number): Promise<number> {
  await sleep(WARM_UP_MS)
  await frames.start()
  await sleep(lookMs - WARM_UP_MS)
  await frames.stop()
  const inUse = await heapMb(tools)
  await sleep(RECOVERY_MS)
  await frames.start()
  return inUse
}

/** Megabytes of the page's objects that are still needed. */
async function heapMb(tools: CDPSession): Promise<number> {
  await tools.send('HeapProfiler.collectGarbage')
  const { usedSize } = await tools.send('Runtime.getHeapUsage')
  return usedSize / 1e6
}

/** Offset of the newest event, which is their number, as offsets begin with 1 and are dense. */
async function headOf(url: string): Promise<number> {
  const answer = await fetch(`${url}${LOG}?limit=1`)
  const { head } = (await answer.json()) as { head: string }
  return Number(head.slice(head.lastIndexOf(':') + 1))
}

/** How many events the page has taken in, as soon as these are as many as expected or the time is up. */
async function settled(live: LivePage, expected: number): Promise<number> {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const counts = Object.entries(await live.counts()).filter(([type]) => type !== 'metrics:snapshot')
    const shown = counts.reduce((sum, [, n]) => sum + n, 0)
    if (shown === expected || performance.now() > until) return shown
    await sleep(250)
  }
}

function brokenPromises({ busy, events, shown, faults, heapMbStart, heapMbEnd }: Seen): string[] {
  const promises = [
    [
      busy.longestMs <= MOST_FRAME_MS,
      `a frame took ${rounded(busy.longestMs)} ms, more than ${MOST_FRAME_MS}`,
    ],
    [shown === events, `the page took in ${shown} events of ${events}`],
    [faults === 0, `${faults} of the events on the screen are not those of the log`],
    [
      heapMbEnd <= heapMbStart * MOST_HEAP_RATIO,
      `the memory grew from ${rounded(heapMbStart)} MB to ${rounded(heapMbEnd)}, by more than a tenth`,
    ],
  ] as const
  return promises.flatMap(([isKept, words]) => (isKept ? [] : [words]))
}

function figuresOf(seen: Seen, minutes: number, version: string): Record<string, unknown> {
  const { quiet, busy } = seen
  return {
    figure: 'live_monitor',
    minutes,
    events: seen.events,
    shown: seen.shown,
    faults: seen.faults,
    frames: busy.drawn,
    longest_frame_ms: rounded(busy.longestMs),
    p99_frame_ms: busy.p99Ms,
    cpu_ms_per_frame: rounded(busy.cpuMs / Math.max(1, busy.drawn)),
    long_tasks: busy.longTasks,
    longest_script_ms: rounded(busy.longestScriptMs),
    quiet_longest_frame_ms: rounded(quiet.longestMs),
    heap_mb_start: rounded(seen.heapMbStart),
    heap_mb_end: rounded(seen.heapMbEnd),
    note: `figures of this machine: ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Chromium ${version}`,
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
