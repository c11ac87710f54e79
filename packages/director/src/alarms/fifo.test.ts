import type { NotifyFifo } from '@ipvs-director/config'
import { arrayLogger } from '@ipvs-director/core/testing'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openFifo, type Fifo } from './fifo.ts'

let folder: string
let path: string
let open: Fifo[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fifo-'))
  path = join(folder, 'notify')
})
afterEach(async () => {
  await Promise.all(open.map((fifo) => fifo.close()))
  open = []
  rmSync(folder, { recursive: true })
})

const settings = (over: Partial<NotifyFifo> = {}): NotifyFifo => ({ path, user: undefined, group: undefined, events: 'all', script: undefined, ...over }) // prettier-ignore

function start(
  over: Partial<NotifyFifo> = {},
  runScript: (path: string, signal: AbortSignal) => Promise<string> = () => Promise.resolve(''),
) {
  const logger = arrayLogger()
  const fifo = openFifo({ fifo: settings(over), runScript, logger })
  open.push(fifo)
  return { fifo, logger, events: () => logger.lines.map(({ event }) => event) }
}

/** What is in the pipe now. */
function drain(): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(1 << 20)
  let text = ''
  for (;;) {
    try {
      const bytes = readSync(fd, buffer)
      if (bytes === 0) break
      text += buffer.toString('latin1', 0, bytes)
    } catch {
      break
    }
  }
  closeSync(fd)
  return text
}

test('it is made, written without a reader (also before it is open), and removed', async () => {
  const { fifo } = start()
  fifo.write('VS [192.0.2.1]:tcp:80 UP')
  expect(await fifo.opened).toBe(true)
  fifo.write('VS [192.0.2.1]:tcp:80 DOWN')
  expect(lstatSync(path).isFIFO()).toBe(true)
  expect(lstatSync(path).mode & 0o777).toBe(0o644)
  expect(drain()).toBe('VS [192.0.2.1]:tcp:80 UP\nVS [192.0.2.1]:tcp:80 DOWN\n')
  await fifo.close()
  expect(existsSync(path)).toBe(false)
})

test('one that was there is used and stays', async () => {
  execFileSync('mkfifo', [path])
  const { fifo } = start()
  expect(await fifo.opened).toBe(true)
  await fifo.close()
  expect(existsSync(path)).toBe(true)
})

test('a full one loses lines, told once; whole lines again when it is read', async () => {
  const { fifo, events } = start()
  await fifo.opened
  const line = `RS ${'x'.repeat(100)}`
  for (let i = 0; i < 2000; i++) fifo.write(line)
  expect(fifo.lost).toBeGreaterThan(0)
  expect(events()).toEqual(['fifo.full'])
  const lost = fifo.lost
  expect(
    drain()
      .split('\n')
      .filter((each) => each !== '' && each !== line),
  ).toEqual([])
  fifo.write('again')
  expect(drain()).toBe('again\n')
  expect(fifo.lost).toBe(lost)
  expect(events()).toEqual(['fifo.full', 'fifo.lost'])
})

test.for<[string, () => void, Partial<NotifyFifo>, string]>([
  ['a file', () => { writeFileSync(path, 'x') }, {}, 'no FIFO'], // prettier-ignore
  ['of a user who is not there', () => undefined, { user: 'nobody-of-this-name' }, 'nobody-of-this-name'],
  ['in a folder that is not there', () => { path = join(folder, 'no', 'fifo') }, {}, 'mkfifo'], // prettier-ignore
])('%s is not used, and told', async ([, prepare, over, words]) => {
  prepare()
  const { fifo, logger } = start(over)
  fifo.write('lost')
  expect(await fifo.opened).toBe(false)
  expect(logger.lines[0]).toMatchObject({ event: 'fifo.unusable' })
  expect(logger.lines[0]?.message).toContain(words)
  fifo.write('lost')
  expect(fifo.lost).toBe(2)
  expect(path.endsWith('notify') && existsSync(path) && !lstatSync(path).isFile()).toBe(false)
})

test('a script that ends is started again, one that cannot be started less and less often', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    let can = false
    const { fifo, logger } = start({ script: { words: ['x'], place: { file: 'f', line: 1, column: 1 } } }, () =>
      can ? Promise.resolve('exit status 1') : Promise.reject(new Error('x does not exist')),
    )
    await fifo.opened
    for (const wait of [5, 10, 20, 40, 80, 160, 300, 300]) {
      await vi.advanceTimersByTimeAsync(0)
      expect(logger.lines.at(-1)?.message).toContain(`(x does not exist); it is started again in ${wait} s`)
      await vi.advanceTimersByTimeAsync(wait * 1000)
    }
    can = true
    await vi.advanceTimersByTimeAsync(300_000)
    await vi.advanceTimersByTimeAsync(5000)
    expect(logger.lines.at(-1)?.message).toContain('(exit status 1); it is started again in 5 s')
  } finally {
    vi.useRealTimers()
  }
})

test('its script runs while it is open', async () => {
  const seen: string[] = []
  const script = { words: ['/bin/x'], place: { file: 'f', line: 1, column: 1 } }
  const { fifo } = start({ script }, async (given, signal) => {
    seen.push(given)
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve)
    })
    seen.push('ended')
    return 'stopped'
  })
  await fifo.opened
  expect(seen).toEqual([path])
  await fifo.close()
  expect(seen).toEqual([path, 'ended'])
})
