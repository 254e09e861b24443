import { FakeEnvironment } from '@rmos/monitor-core/testing'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import LiveMonitor from './LiveMonitor.vue'

const URL = 'ws://shop/ws/monitor'
const LIST_PX = 400
const ROW_PX = 40

let environment: FakeEnvironment
let server: FakeEnvironment['server']
let wrapper: VueWrapper

beforeEach(() => {
  environment = new FakeEnvironment()
  server = environment.server
  // happy-dom lays nothing out: a list of ten rows.
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(LIST_PX)
  vi.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(1000)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(LIST_PX)
  vi.spyOn(HTMLElement.prototype, 'scrollHeight', 'get').mockImplementation(function (this: HTMLElement) {
    return parseFloat(this.querySelector<HTMLElement>('.all')?.style.height ?? '0')
  })
  document.title = 'Live Monitor'
})

afterEach(() => {
  wrapper.unmount()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function show(props: Record<string, unknown> = {}): Promise<void> {
  wrapper = mount(LiveMonitor, { props: { url: URL, environment, ...props }, attachTo: document.body })
  await settle()
}

/** Let everything arrive and be drawn. */
async function settle(): Promise<void> {
  await environment.settle()
  await new Promise((resolve) => requestAnimationFrame(resolve))
  await new Promise((resolve) => requestAnimationFrame(resolve))
  await flushPromises()
}

const text = () => wrapper.text()
const badge = () => wrapper.get('.badge').text().replace(/\s+/g, ' ')
const rows = () => wrapper.findAll('.event')
const summaries = () => rows().map((row) => row.get('.summary').text())
const list = () => wrapper.get('[role="log"]')
const button = (name: string) => {
  const found = wrapper
    .findAll('button')
    .find((b) => b.text() === name || b.attributes('aria-label') === name)
  if (found === undefined) throw new Error(`no button ${name}`)
  return found
}
const press = async (key: string, on: Element = document.body) => {
  on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  await settle()
}
const scrollTo = async (top: number) => {
  list().element.scrollTop = top
  await list().trigger('scroll')
  await settle()
}
const filtersSent = () => server.connection.commands.at(-1)?.filters
const job = (n: number) => server.append('job:updated', { job_type: `slice ${n}`, status: 'running' })

describe('connection', () => {
  it('connects by itself and says so', async () => {
    await show()

    expect(badge()).toBe('● Connected')
    expect(filtersSent()).toEqual(['all'])
    expect(text()).toContain('Nothing has happened yet')
  })

  it('waits for the button when it is told to', async () => {
    await show({ autoConnect: false })
    const before = [badge(), server.connections.length]

    await button('Connect').trigger('click')
    await settle()
    job(1)
    await settle()

    expect(before).toEqual(['○ Disconnected', 0])
    expect(badge()).toBe('● Connected')
    expect(rows()).toHaveLength(1)
  })

  it('disconnects, and what is shown cannot be taken for the present', async () => {
    await show()
    job(1)
    await settle()

    await button('Disconnect').trigger('click')

    expect(badge()).toBe('○ Disconnected')
    expect(text()).toContain('Not current: as of')
    expect(wrapper.find('.frame.old').exists()).toBe(true)
  })

  it('says how many events are not kept any more, and shows those that are', async () => {
    await show()
    job(1)
    await settle()
    await button('Disconnect').trigger('click')
    for (let n = 2; n <= 6; n += 1) job(n)
    server.forgetBefore(5)

    await button('Connect').trigger('click')
    await settle()

    expect(wrapper.get('.mark.gap').text()).toMatch(/^3 events between .+ and .+ are not kept any more\.$/)
    expect(summaries()).toEqual([1, 5, 6].map((n) => `slice ${n} job → running`))
  })

  it('adds what happened meanwhile when it is connected again', async () => {
    await show()
    await button('Disconnect').trigger('click')
    job(1)

    await button('Connect').trigger('click')
    await settle()

    expect(summaries()).toEqual(['slice 1 job → running'])
    expect(text()).not.toContain('Not current')
  })

  it('counts down to the next attempt, says why, and never gives up', async () => {
    await show()
    server.isUp = false
    environment.chance = 0.999
    server.connection.cut()
    await settle()
    const waiting = [badge(), text().includes('the connection was lost or could not be made (code 1006)')]

    await environment.advance(3_600_000)
    await settle()

    expect(waiting).toEqual(['◌ Reconnecting in 1 s', true])
    expect(badge()).toMatch(/^◌ Reconnecting/)
    server.isUp = true
    await button('Connect now').trigger('click')
    await settle()
    expect(badge()).toBe('● Connected')
  })

  it('says when the server refuses it', async () => {
    server.refusal = 4403

    await show()

    expect(badge()).toBe('✕ Gave up')
    expect(text()).toContain('access was refused (code 4403: refused)')
  })

  it.each([
    [4401, 'You are not logged in', 'Log in, or give this screen a valid token'],
    [4403, 'You may not watch this shop', 'Ask an admin for the right to'],
  ])('says what to do when it is refused with %i', async (code, title, hint) => {
    server.refusal = code

    await show()

    expect(wrapper.get('.empty').text()).toContain(title)
    expect(wrapper.get('.empty').text()).toContain(hint)
    expect(wrapper.get('.monitor-status').text()).toContain(hint)
  })

  it('marks the place where events are missing', async () => {
    await show()
    job(1)
    await settle()
    server.startNewEpoch('z9')
    server.connection.cut()
    await environment.advance(20_000)
    await settle()

    expect(wrapper.get('.mark.gap').text()).toContain('The server’s log was replaced')
  })

  it('shows what the server could not do for it', async () => {
    await show()
    server.connection.raw('{"type":"job:upd')
    await settle()

    expect(wrapper.get('.mark.note').text()).toContain('unreadable frame from the server')
  })

  it('begins with the recent past', async () => {
    for (let n = 1; n <= 5; n += 1) job(n)

    await show({ last: 3 })

    expect(summaries()).toEqual([3, 4, 5].map((n) => `slice ${n} job → running`))
  })
})

describe('filters', () => {
  const check = async (category: string) => {
    await wrapper.get(`input[value="${category}"]`).trigger('click')
    await settle()
  }

  it('asks the server for what is checked, for everything when nothing is', async () => {
    await show()

    await check('job')
    const one = filtersSent()
    await check('metrics')
    const two = filtersSent()
    await check('job')
    await check('metrics')

    expect([one, two, filtersSent()]).toEqual([['job'], ['job', 'metrics'], ['all']])
  })

  it('narrows to a machine that was seen, on the screen and on the line, and back', async () => {
    const onMachine = (n: number, machine: string) =>
      server.append(
        'job:updated',
        { job_type: `slice ${n}`, status: 'running' },
        { channels: [`machine:${machine}`] },
      )
    await show()
    onMachine(1, 'cnc1')
    onMachine(2, 'cnc2')
    await settle()

    await button('Narrow').trigger('click')
    await wrapper.get('input[value="machine:cnc2"]').setValue(true)
    await settle()
    const asked = server.connection.commands.at(-1)
    onMachine(3, 'cnc1')
    onMachine(4, 'cnc2')
    await settle()
    const narrow = summaries()
    await button('Show everything').trigger('click')
    await settle()

    expect(asked).toMatchObject({ channels: ['machine:cnc2'] })
    expect(narrow).toEqual([2, 4].map((n) => `slice ${n} job → running`))
    expect(server.connection.commands.at(-1)).not.toHaveProperty('channels')
    expect(summaries()).toEqual([1, 2, 4].map((n) => `slice ${n} job → running`))
  })

  it('hides what is not checked, and says from where on more is shown', async () => {
    await show()
    job(1)
    server.append('pattern:created', { name: 'Torres', ring_count: 3 })
    await settle()

    await check('job')
    const narrow = summaries()
    await check('pattern')

    expect(narrow).toEqual(['slice 1 job → running'])
    expect(summaries()).toEqual(['slice 1 job → running', '“Torres” created, 3 rings'])
    expect(wrapper.get('.mark.note').text()).toBe('From here on: Job, Pattern')
  })
})

describe('stream', () => {
  it('colours events by category and names it too', async () => {
    await show()
    for (const type of ['job:created', 'pattern:created', 'material:created', 'metrics:anomaly'])
      server.append(type)
    await settle()

    expect(rows().map((row) => row.classes().filter((name) => name !== 'event')[0])).toEqual([
      'job',
      'pattern',
      'material',
      'metrics',
    ])
    expect(rows().map((row) => row.get('.kind').text())).toEqual([
      'Job created',
      'Pattern created',
      'Material created',
      'Metrics anomaly',
    ])
  })

  it('shows custom events', async () => {
    await show()
    server.append('job:custom_status', { id: 'job-123', message: 'Blade changed' })
    await settle()

    expect(summaries()).toEqual(['custom status: Blade changed'])
    expect(wrapper.get('footer').text()).toContain('job:custom_status 1')
  })

  it('has few rows however many events, and follows the newest', async () => {
    await show({ last: 0 })
    for (let n = 1; n <= 5000; n += 1) job(n)
    await settle()
    await scrollTo(list().element.scrollTop)

    expect(rows().length).toBeLessThan(60)
    expect(summaries().at(-1)).toBe('slice 5000 job → running')
    expect(list().element.scrollTop).toBe(5000 * ROW_PX)
    expect(wrapper.get('footer').text()).toContain('5,000 events')
  })

  it('drops the oldest beyond its capacity and says so', async () => {
    await show({ capacity: 100 })
    for (let n = 1; n <= 130; n += 1) job(n)
    await settle()

    expect(wrapper.get('footer').text()).toContain('100 events')
    expect(wrapper.get('footer').text()).toContain('30 older events dropped')
  })

  it('stops following when somebody scrolls up, counts what is new, and returns', async () => {
    await show()
    for (let n = 1; n <= 100; n += 1) job(n)
    await settle()
    await scrollTo(100 * ROW_PX - LIST_PX)
    await scrollTo(1000)

    for (let n = 101; n <= 103; n += 1) job(n)
    await settle()
    const top = list().element.scrollTop
    await button('↓ 3 new').trigger('click')

    expect(top).toBe(1000)
    expect(list().element.scrollTop).toBe(103 * ROW_PX)
    expect(wrapper.find('.newest').exists()).toBe(false)
  })

  it('keeps what is read in place while older events are dropped', async () => {
    await show({ capacity: 100 })
    for (let n = 1; n <= 100; n += 1) job(n)
    await settle()
    await scrollTo(100 * ROW_PX - LIST_PX)
    await scrollTo(50 * ROW_PX)

    for (let n = 101; n <= 110; n += 1) job(n)
    await settle()

    expect(list().element.scrollTop).toBe(40 * ROW_PX)
  })

  it('can be paused, and tells what waits', async () => {
    await show()
    await button('Pause').trigger('click')
    job(1)
    job(2)
    await settle()
    const paused = [rows().length, text().includes('Paused. 2 new events waiting.')]

    await button('Resume').trigger('click')
    await settle()

    expect(paused).toEqual([0, true])
    expect(rows()).toHaveLength(2)
  })

  it('finds events by any word in them', async () => {
    await show()
    job(1)
    server.append('pattern:created', { name: 'Torres', ring_count: 3, metadata: { maker: 'Antonio' } })
    await settle()

    await wrapper.get('input[type="search"]').setValue('antonio TORRES')

    expect(summaries()).toEqual(['“Torres” created, 3 rings'])
    expect(wrapper.get('footer').text()).toContain('1 of 2 events')
    await wrapper.get('input[type="search"]').setValue('nobody')
    expect(text()).toContain('No event matches')
  })

  it('can be cleared, and the clearing undone', async () => {
    await show()
    job(1)
    await settle()

    await button('Clear').trigger('click')
    const cleared = [rows().length, text().includes('Cleared 1 event.')]
    await button('Undo').trigger('click')
    await settle()

    expect(cleared).toEqual([0, true])
    expect(rows()).toHaveLength(1)
  })

  it('is copied as the events that are shown', async () => {
    const writeText = vi.fn<(content: string) => Promise<void>>().mockResolvedValue()
    vi.stubGlobal('navigator', { clipboard: { writeText } })
    await show()
    job(1)
    await settle()

    await button('Copy').trigger('click')
    await settle()

    const copied = JSON.parse(writeText.mock.calls[0]?.[0] ?? '') as unknown
    expect(copied).toMatchObject([{ type: 'job:updated', id: 'k3f9q2:1', offset: 1, actor: 'local' }])
    expect(text()).toContain('Copied 1 event as JSON.')
  })
})

describe('one event', () => {
  const history = [
    {
      version: 2,
      time: '',
      actor: 'ann',
      event: 'job:updated',
      diff: [{ path: '/status', from: 'ready', to: 'running' }],
    },
  ]

  beforeEach(() => {
    const body = JSON.stringify({ success: true, history })
    vi.stubGlobal('fetch', () =>
      Promise.resolve(new Response(body, { headers: { 'Content-Type': 'application/json' } })),
    )
  })

  const update = () =>
    server.append(
      'job:updated',
      { job_type: 'slice', status: 'running' },
      { key: 'job/j1', version: 2, actor: 'ann' },
    )

  it('shows its fields, what changed and the whole of it on a click', async () => {
    await show()
    update()
    await settle()

    await rows()[0]?.trigger('click')
    await settle()

    const detail = wrapper.get('.detail').text()
    expect(detail).toContain('ann')
    expect(detail).toContain('job/j1')
    expect(wrapper.get('.changes').text()).toMatch(/ready\s*→\s*running/)
    expect(wrapper.get('pre').text()).toContain('"type": "job:updated"')
  })

  it('closes and puts the keyboard back on the event', async () => {
    await show()
    update()
    await settle()
    await rows()[0]?.trigger('click')
    await settle()

    await press('Escape')
    await settle()

    expect(wrapper.find('.detail').exists()).toBe(false)
    expect(document.activeElement).toBe(rows()[0]?.element)
  })

  it('says when the history cannot be read', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')))
    await show()
    update()
    await settle()

    await rows()[0]?.trigger('click')
    await settle()

    expect(wrapper.get('.changes [role="alert"]').text()).toContain('The history could not be read')
  })
})

describe('keyboard', () => {
  it('moves, opens, closes and follows', async () => {
    await show()
    for (let n = 1; n <= 3; n += 1) server.append('metrics:anomaly', { message: `anomaly ${n}` })
    await settle()
    const current = () => rows().findIndex((row) => row.attributes('aria-current') === 'true')
    const seen: number[] = []

    for (const key of ['j', 'k', 'ArrowUp', 'k', 'ArrowDown']) {
      await press(key)
      seen.push(current())
    }
    await press('Enter')
    const detail = wrapper.get('.detail h2').text()
    await press('j')
    const moved = wrapper.get('.detail h2').text()
    await press('Escape')

    expect(seen).toEqual([2, 1, 0, 0, 1])
    expect([detail, moved]).toEqual(['anomaly: anomaly 2', 'anomaly: anomaly 3'])
    expect(wrapper.find('.detail').exists()).toBe(false)
  })

  it('pauses, searches and explains itself', async () => {
    await show()

    await press('p')
    const isPaused = text().includes('Paused.')
    await press('/')
    const focused = document.activeElement
    await press('p', focused ?? document.body)
    const isStillPaused = text().includes('Paused.')
    await press('?')

    expect([isPaused, isStillPaused]).toEqual([true, true])
    expect(focused).toBe(wrapper.get('input[type="search"]').element)
    expect(wrapper.get('dialog').attributes('open')).toBeDefined()
  })

  it('leaves keys alone elsewhere, with modifiers, and when it is turned off', async () => {
    await show()
    const elsewhere = document.createElement('button')
    document.body.append(elsewhere)

    await press('p', elsewhere)
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'p', ctrlKey: true, bubbles: true }))
    await wrapper.setProps({ shortcuts: false })
    await press('p')
    elsewhere.remove()

    expect(text()).not.toContain('Paused.')
  })

  it('marks a key as taken, so that the page around does not act on it too', async () => {
    await show()
    const event = new KeyboardEvent('keydown', { key: 'p', bubbles: true, cancelable: true })

    document.body.dispatchEvent(event)

    expect(event.defaultPrevented).toBe(true)
  })
})

it('has a log that assistive technology hears of', async () => {
  await show()

  expect(list().attributes()).toMatchObject({
    role: 'log',
    'aria-live': 'polite',
    'aria-label': 'Events, newest last',
    tabindex: '0',
  })
})

it('lets go of the connection when it goes', async () => {
  await show()

  wrapper.unmount()

  expect(server.connection.closedByClient?.code).toBe(1000)
})
