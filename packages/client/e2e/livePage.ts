/** The Live page as a person sees and uses it, and the frames that go to and fro beneath. */

import { expect, type Locator, type Page } from '@playwright/test'
import { readFile } from 'node:fs/promises'
import type { LoggedEvent } from './server'

/** Looks of the stream at one moment. */
export interface View {
  /** What the topmost visible row says. */
  readonly text: string
  /** Its place in pixels below the upper edge of the list. */
  readonly y: number
}

/** What was seen of the list in some frames. */
export interface Frames {
  readonly drawn: number
  /** The most rows that existed at a time. */
  readonly mostRows: number
  /** Frames in which a part of a list that is longer than its place was empty. */
  readonly holes: number
}

export class LivePage {
  readonly monitor: Locator
  readonly stream: Locator
  /** The events that exist in the document. */
  readonly rows: Locator
  /** `Connected`, `Reconnecting in 3 s`, … */
  readonly badge: Locator
  /** Button that leads back to the newest event. */
  readonly newest: Locator
  readonly detail: Locator

  constructor(readonly page: Page) {
    this.monitor = page.getByRole('region', { name: 'Live monitor' })
    this.stream = this.monitor.getByRole('log')
    this.rows = this.stream.locator('[data-key]')
    this.badge = this.monitor.locator('.badge')
    this.newest = this.monitor.getByRole('button', { name: /\d+ new$|Newest$/ })
    this.detail = this.monitor.getByRole('region', { name: 'Event', exact: true })
  }

  async open(): Promise<void> {
    await this.page.goto('/live')
    await this.isLive()
  }

  /** Wait until it shows the present. */
  async isLive(): Promise<void> {
    await expect(this.badge).toContainText('Connected', { timeout: 30_000 })
    await expect(this.monitor.locator('[data-freshness="live"]')).toBeVisible()
    await expect(this.monitor.getByText('Not current')).toBeHidden()
    await expect(this.stream.locator('xpath=..')).not.toHaveClass(/old/)
  }

  /** Wait until it says that it does not show the present, in words and in grey. */
  async isOld(): Promise<void> {
    await expect(this.monitor.getByText(/^Not current: as of .*\d/)).toBeVisible()
    await expect(this.stream.locator('.row').first()).toHaveCSS('filter', 'grayscale(1)')
    await expect(this.monitor.locator('[data-freshness="live"]')).toBeHidden()
  }

  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text })
  }

  /** The events by type, as the footer counts them. */
  async counts(): Promise<Record<string, number>> {
    const items = await this.monitor.getByRole('list', { name: 'Events by type' }).locator('li').all()
    const texts = await Promise.all(items.map((item) => item.innerText()))
    return Object.fromEntries(
      texts.map((text) => {
        const [type = '', n = ''] = text.trim().split(/\s+/)
        return [type, Number(n.replaceAll(',', ''))]
      }),
    )
  }

  /** All that the stream shows, oldest first, whether it is in sight or not: what Export saves. */
  async exported(): Promise<LoggedEvent[]> {
    const saved = this.page.waitForEvent('download')
    await this.monitor.getByRole('button', { name: 'Export' }).click()
    return JSON.parse(await readFile(await (await saved).path(), 'utf8')) as LoggedEvent[]
  }

  /** Ids of the events of the log in the stream, in order. */
  async shownIds(): Promise<string[]> {
    return (await this.exported()).filter(({ id }) => id !== null).map(({ id }) => id)
  }

  /** What is at the top of the list, once it has come to rest. */
  async view(): Promise<View> {
    let last = await this.#viewNow()
    await expect
      .poll(async () => {
        const before = last
        last = await this.#viewNow()
        return last.text === before.text && last.y === before.y
      })
      .toBe(true)
    return last
  }

  #viewNow(): Promise<View> {
    return this.stream.evaluate((list) => {
      const { top } = list.getBoundingClientRect()
      const rows = [...list.querySelectorAll('[data-key]')].map((row) => ({
        text: row.querySelector('.summary')?.textContent ?? '',
        y: row.getBoundingClientRect().top - top,
      }))
      const seen = rows.filter(({ y }) => y > -20).sort((a, b) => a.y - b.y)
      return seen[0] ?? { text: '', y: 0 }
    })
  }

  /** Look at the list after every frame from now on. Returns how to read what was seen since the last reading. */
  async watchFrames(): Promise<() => Promise<Frames>> {
    await this.stream.evaluate((list) => {
      const seen = { drawn: 0, mostRows: 0, holes: 0 }
      const look = () => {
        const { top, bottom } = list.getBoundingClientRect()
        const rows = [...list.querySelectorAll('.row')].map((row) => row.getBoundingClientRect())
        const covered = rows.map((row) => Math.min(row.bottom, bottom) - Math.max(row.top, top))
        const height = covered.filter((part) => part > 0).reduce((sum, part) => sum + part, 0)
        seen.drawn += 1
        seen.mostRows = Math.max(seen.mostRows, rows.length)
        if (list.scrollHeight > list.clientHeight && height < list.clientHeight - 1) seen.holes += 1
      }
      // A message is handled when the frame that was asked for before it has been drawn.
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = look
      const next = () => {
        port2.postMessage(null)
        requestAnimationFrame(next)
      }
      next()
      const take = () => {
        const taken = { ...seen }
        Object.assign(seen, { drawn: 0, mostRows: 0, holes: 0 })
        return taken
      }
      Object.assign(window, { takeFrames: take })
    })
    return () => this.page.evaluate(() => (window as unknown as { takeFrames: () => Frames }).takeFrames())
  }
}

export interface Command {
  readonly action: string
  readonly filters?: readonly string[]
  readonly since?: string
}

export interface Frame {
  readonly type: string
  readonly id?: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Every frame between a page and the server, in order. */
export class Wire {
  readonly sent: Command[] = []
  readonly received: Frame[] = []

  /** To be made before the page is opened. */
  constructor(page: Page) {
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => this.sent.push(JSON.parse(String(payload)) as Command))
      socket.on('framereceived', ({ payload }) => this.received.push(JSON.parse(String(payload)) as Frame))
    })
  }

  /** What the server was last asked for. */
  get lastSubscribe(): Command | undefined {
    return this.sent.findLast(({ action }) => action === 'subscribe')
  }

  /** Types of what came after the server confirmed the last subscription. */
  get sinceSubscribed(): string[] {
    const types = this.received.map(({ type }) => type)
    return types.slice(types.lastIndexOf('system:subscribed') + 1)
  }
}

/** How often each type occurs. */
export function tally(events: readonly { type: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1
  return counts
}
