/** How evenly a page draws: the time between its frames, and the tasks that hold them up. */

import type { CDPSession, Page } from '@playwright/test'

/** Times in milliseconds. */
export interface Frames {
  readonly drawn: number
  readonly longestMs: number
  readonly p99Ms: number
  /** Tasks of the page's thread of 50 ms or more, whatever they waited for. */
  readonly longTasks: number
  /** The longest run of one script within a frame of 50 ms or more; 0 without such a frame. */
  readonly longestScriptMs: number
  /** Processor time of the page's thread, which does not depend on what else the machine does. */
  readonly cpuMs: number
}

export interface FrameWatch {
  /** Count from now on. */
  start(): Promise<void>
  /** Stop counting. */
  stop(): Promise<void>
  /** What was counted since the last reading. To be called while stopped. */
  take(): Promise<Frames>
}

/** What the page offers. Its array has one size from the beginning, so that counting takes no memory. */
interface Counter {
  isCounting: boolean
  take(): Omit<Frames, 'cpuMs'>
}

type CountingWindow = Window & { soakFrames: Counter }

/** Nothing is counted yet. */
export async function watchFrames(page: Page, tools: CDPSession): Promise<FrameWatch> {
  await tools.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.evaluate(install)
  let cpuMs = 0

  async function cpuNow(): Promise<number> {
    const { metrics } = await tools.send('Performance.getMetrics')
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0)
  }

  function count(isCounting: boolean): Promise<void> {
    return page.evaluate((is) => {
      ;(window as unknown as CountingWindow).soakFrames.isCounting = is
    }, isCounting)
  }

  return {
    start: async () => {
      cpuMs -= await cpuNow()
      await count(true)
    },
    stop: async () => {
      await count(false)
      cpuMs += await cpuNow()
    },
    take: async () => {
      const drawn = await page.evaluate(() => (window as unknown as CountingWindow).soakFrames.take())
      const taken = { ...drawn, cpuMs }
      cpuMs = 0
      return taken
    },
  }
}

/** Runs in the page, so it can use nothing of this module. */
function install(): void {
  const STEPS_A_MS = 10
  // Longer ones, to the last, are as bad as a second.
  const lengths = new Uint32Array(1000 * STEPS_A_MS + 1)
  let [drawn, longestMs, longTasks, longestScriptMs] = [0, 0, 0, 0]
  let last: number | null = null

  const counter: Counter = {
    isCounting: false,
    take: () => {
      let beyond = Math.floor(drawn / 100)
      let step = lengths.length - 1
      while (step > 0 && beyond >= (lengths[step] ?? 0)) {
        beyond -= lengths[step] ?? 0
        step -= 1
      }
      const taken = { drawn, longestMs, p99Ms: step / STEPS_A_MS, longTasks, longestScriptMs }
      lengths.fill(0)
      drawn = longestMs = longTasks = longestScriptMs = 0
      return taken
    },
  }

  function look(now: number): void {
    requestAnimationFrame(look)
    if (!counter.isCounting) {
      last = null
      return
    }
    if (last !== null) {
      const length = now - last
      const step = Math.min(lengths.length - 1, Math.round(length * STEPS_A_MS))
      lengths[step] = (lengths[step] ?? 0) + 1
      drawn += 1
      longestMs = Math.max(longestMs, length)
    }
    last = now
  }

  requestAnimationFrame(look)
  new PerformanceObserver((list) => {
    if (counter.isCounting) longTasks += list.getEntries().length
  }).observe({ type: 'longtask' })
  new PerformanceObserver((list) => {
    if (!counter.isCounting) return
    for (const entry of list.getEntries()) {
      // TypeScript does not know this kind of entry yet.
      const { scripts } = entry as PerformanceEntry & { scripts: readonly PerformanceEntry[] }
      for (const { duration } of scripts) longestScriptMs = Math.max(longestScriptMs, duration)
    }
  }).observe({ type: 'long-animation-frame' })
  Object.assign(window, { soakFrames: counter })
}
