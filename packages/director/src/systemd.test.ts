import { seconds, systemClock } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { addonAvailable, openSocket, unixAddress } from '@ipvs-director/linux'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { main } from './main.ts'
import { serviceManager } from './systemd.ts'

/** A service manager that keeps what it is told. */
function listening(env: Record<string, string>) {
  const said: string[] = []
  const opened: string[] = []
  const manager = serviceManager(env, (path) => {
    opened.push(path)
    return { send: (data) => void said.push(Buffer.from(data).toString()), drain: async () => {}, close: () => {} }
  })
  return { manager, said, opened, env }
}

test('says what happens, a datagram each', async () => {
  const { manager, said, opened } = listening({ NOTIFY_SOCKET: '/run/systemd/notify' })
  manager.ready('2 virtual\nservers')
  manager.reloading()
  manager.status('one down')
  manager.failed('no such\nfile', 2)
  manager.ready('reloaded')
  manager.stopping()
  await manager.close()
  manager.status('too late')
  expect(opened).toEqual(['/run/systemd/notify'])
  expect(said).toEqual([
    `READY=1\nMAINPID=${process.pid}\nSTATUS=2 virtual servers`,
    expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/) as string,
    'STATUS=one down',
    'STATUS=no such file\nERRNO=2',
    `READY=1\nMAINPID=${process.pid}\nSTATUS=reloaded\nERRNO=0`,
    'STOPPING=1',
  ])
})

test.for([{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: 'vsock:2:1' }])('nobody listens: %j', async (env) => {
  const { manager, said, opened } = listening(env)
  manager.ready('x')
  manager.watch(systemClock, () => true)
  await manager.close()
  expect([said, opened]).toEqual([[], []])
})

test('scripts inherit nothing of it', () => {
  const { env } = listening({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '1', WATCHDOG_PID: '1', PATH: '/bin' })
  expect(env).toEqual({ PATH: '/bin' })
})

test.for([
  ['twice within WatchdogSec', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) }, 5],
  ['whoever it is meant for', { WATCHDOG_USEC: '30000000' }, 5],
  ['not for another process', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }, 0],
  ['not without a watchdog', {}, 0],
  ['not by nonsense', { WATCHDOG_USEC: 'often' }, 0],
] as const)('the watchdog hears of us %s', async ([, env, times]) => {
  const { manager, said } = listening({ NOTIFY_SOCKET: '@x', ...env })
  const clock = fakeClock()
  manager.watch(clock, () => true)
  await clock.advance(seconds(60))
  expect(said).toEqual(Array(times).fill('WATCHDOG=1'))
})

test('nothing is said while the work stands still', async () => {
  const { manager, said } = listening({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '2000000' })
  const clock = fakeClock()
  let alive = true
  manager.watch(clock, () => alive)
  await clock.advance(seconds(2))
  alive = false
  await clock.advance(seconds(10))
  expect(said).toHaveLength(3)
  await manager.close()
})

test.skipIf(!addonAvailable()).for(['file', 'abstract'])(
  'over a real socket: %s (skipped without the addon)',
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), 'notify-'))
    const path = kind === 'file' ? join(folder, 's') : `@${folder}`
    const said: string[] = []
    const reader = openSocket(
      { domain: 1, type: 2, protocol: 0 },
      { message: (data) => void said.push(data.toString()), error: () => {} },
    )
    try {
      reader.bind(unixAddress(path))
      reader.start()
      const manager = serviceManager({ NOTIFY_SOCKET: path })
      manager.stopping()
      await expect.poll(() => said).toEqual(['STOPPING=1'])
      await manager.close()
    } finally {
      reader.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

test.skipIf(!addonAvailable())('a start that fails is told with its reason (skipped without the addon)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'notify-'))
  const path = join(folder, 's')
  const said: string[] = []
  const reader = openSocket(
    { domain: 1, type: 2, protocol: 0 },
    { message: (data) => void said.push(data.toString()), error: () => {} },
  )
  try {
    reader.bind(unixAddress(path))
    reader.start()
    process.env['NOTIFY_SOCKET'] = path
    expect(await main(['-f', join(folder, 'nothing.conf'), '--state-dir', folder])).toBe(6)
    await expect.poll(() => said).toEqual([expect.stringMatching(/^STATUS=cannot read .*no such file\nERRNO=2$/)])
    process.env['NOTIFY_SOCKET'] = path
    expect(await main(['-f', folder, '--state-dir', folder, '--memory-ipvs'])).toBe(2)
    await expect.poll(() => said.at(-1)).toMatch(/^STATUS=.* cannot be run: .*\nERRNO=22$/)
  } finally {
    delete process.env['NOTIFY_SOCKET']
    reader.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
