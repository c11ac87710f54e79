import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { seconds, silentLogger } from '@ipvs-director/core'
import { runCtl } from './cli.ts'
import { knownCommands } from './command-names.ts'
import { parseCommandLine } from './command-line.ts'
import type { CheckedConfig, ConfigTools, ConvertedConfig } from './config-tools.ts'
import type { SteeringStatus, Status } from './model.ts'
import { createControlServer, type ControlServer } from './server.ts'
import {
  busyStatus,
  downServer,
  event,
  fakeDirector,
  fakeTools,
  fixtureNow,
  reloadResult,
  server as serverStatus,
  sources,
  splitBrain,
  status,
  virtualServer,
} from './testing/index.ts'
import type { FakeDirector, FakeTools, FakeToolsOptions } from './testing/index.ts'

let directory: string
let path: string
let director: FakeDirector
let server: ControlServer | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(directory, 's')
  director = fakeDirector()
  await serve()
})
afterEach(async () => {
  await server?.close()
  await rm(directory, { recursive: true, force: true })
})

async function serve(): Promise<void> {
  server = await createControlServer({ socket: { path }, handlers: director, logger: silentLogger })
}

const toolsFor = (options: FakeToolsOptions = {}): FakeTools =>
  fakeTools({ ...options, env: { IPVS_DIRECTOR_SOCKET: path, ...options.env } })

/** Runs a command line to its end: exit status, what was written. */
async function ctl(line: string, options: FakeToolsOptions = {}): Promise<{ code: number; out: string; err: string }> {
  const tools = toolsFor(options)
  const code = await runCtl(
    line.split(' ').filter((word) => word !== ''),
    tools,
  )
  return { code, out: tools.out(), err: tools.err() }
}

const json = (text: string): unknown => JSON.parse(text)

describe('status', () => {
  test('the screen, the same with and without the parser', async () => {
    director.status = () => Promise.resolve(busyStatus())
    const { code, out, err } = await ctl('status')
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('10.0.0.4:80              down    12 s')
    expect((await ctl(`status --socket ${path}`, { env: { IPVS_DIRECTOR_SOCKET: '/nowhere' } })).out).toBe(out)
  })

  test('one service, with every reason', async () => {
    director.status = () => Promise.resolve(busyStatus())
    const { out } = await ctl('status 192.0.2.1:80')
    expect(out).toContain('connected to 10.0.0.2:80 (2 s ago)')
    expect(out).not.toContain('2001:db8')
  })

  test('JSON is the whole model', async () => {
    director.status = () => Promise.resolve(busyStatus())
    expect(json((await ctl('status --json')).out)).toEqual(json(JSON.stringify(busyStatus())))
  })

  test('an unknown service ends with 1 and a suggestion', async () => {
    expect(await ctl('status 192.0.2.1:8')).toEqual({
      code: 1,
      out: '',
      err: 'ipvs-ctl: there is no virtual server "192.0.2.1:8"; did you mean 192.0.2.1:80/tcp?\n',
    })
  })

  test.for([
    ['all is well', status(), 0],
    ['a server is down', status({ virtualServers: [virtualServer({ servers: [downServer('10.0.0.2:80', 'x')] })] }), 6],
    ['a reload was refused', status({ config: { ...status().config, refused: { at: 1, diagnostics: [] } } }), 6],
    ['the kernel is unreachable', status({ kernel: { ...status().kernel, reachable: false } }), 6],
    ['the configuration has an error', status({ config: { ...status().config, errors: 1 } }), 6],
    ['a prober without checks does not run', status({ probers: [{ name: 'p', pid: undefined, checks: 0, restarts: 0 }] }), 0], // prettier-ignore
    ['the vrrp process does not answer', status({ vrrpSilent: ['VI_1'] }), 6],
    ['two masters', status({ vrrp: splitBrain() }), 6],
    ['a source fails', status({ sources: sources() }), 6],
    [
      'something else does not work',
      status({ troubles: [{ what: 'groups.unmarked', since: 1, message: 'no nft' }] }),
      6,
    ],
    ['a prober is dead', status({ probers: [{ name: 'p', pid: undefined, checks: 1, restarts: 0 }] }), 6],
    ['the kernel has another weight', busyStatus(), 6],
  ] as const)('--exit-code: %s', async ([, told, code]) => {
    director.status = () => Promise.resolve(told)
    expect((await ctl('status --exit-code')).code).toBe(code)
    expect((await ctl('status')).code).toBe(0)
  })

  test('colour on a terminal only, and as wide as it is', async () => {
    director.status = () => Promise.resolve(busyStatus())
    expect((await ctl('status')).out).not.toContain('\x1b')
    expect((await ctl('status', { terminal: { columns: 80, rows: 24 } })).out).toContain('\x1b[')
    expect((await ctl('status', { env: { FORCE_COLOR: '1' } })).out).toContain('\x1b[')
    director.status = () => Promise.resolve(status())
    const narrow = (await ctl('status', { terminal: { columns: 50, rows: 24 }, env: { NO_COLOR: '1' } })).out
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(50)
  })
})

describe('status --watch', () => {
  const terminal = { columns: 80, rows: 12 }

  test('redraws in place, tells of a director that went, q leaves the terminal as it was', async () => {
    const tools = toolsFor({ terminal })
    const running = runCtl(['status', '--watch', '5'], tools)
    await expect.poll(() => tools.out()).toContain('ipvs-director 0.1.0')
    expect(tools.out()).toContain('\x1b[?25l')
    await server?.close()
    server = undefined
    await tools.clock.advance(seconds(5))
    await expect.poll(() => tools.out()).toContain('no director is running')
    await serve()
    const before = director.calls.length
    await tools.clock.advance(seconds(5))
    await expect.poll(() => director.calls.length).toBeGreaterThan(before)
    tools.press('q')
    expect(await running).toBe(0)
    expect(tools.out().endsWith('\x1b[?25h\n')).toBe(true)
    expect([tools.raw(), tools.clock.pending()]).toEqual([false, 0])
  })

  test('what does not fit is reached by keys', async () => {
    director.status = () => Promise.resolve(busyStatus())
    const tools = toolsFor({ terminal })
    const running = runCtl(['status', '--watch'], tools)
    await expect.poll(() => tools.out()).toContain('lines 1-11 of')
    tools.press('j')
    expect(tools.out()).toContain('lines 2-12 of')
    tools.press('\x1b[6~')
    tools.press('\x1b[6~')
    tools.press('\x1b[6~')
    const last = tools.out().slice(tools.out().lastIndexOf('\x1b[H'))
    expect(last).toContain('198.51.100.7:25/tcp')
    tools.press('\x03')
    expect(await running).toBe(0)
  })

  test('without a terminal the pictures follow each other, without control characters; SIGTERM ends it', async () => {
    const tools = toolsFor()
    const running = runCtl(['status', '--watch'], tools)
    await expect.poll(() => tools.out()).toContain('pid 4711')
    await tools.clock.advance(seconds(2))
    await expect.poll(() => tools.out().split('pid 4711').length).toBe(3)
    tools.interrupt()
    expect(await running).toBe(0)
    expect(tools.out()).not.toContain('\x1b')
  })

  test('with JSON: one per line', async () => {
    const tools = toolsFor({ terminal })
    const running = runCtl(['status', '--json', '--watch'], tools)
    await expect.poll(() => tools.out()).toContain('\n')
    tools.interrupt()
    await running
    expect(json(tools.out())).toMatchObject({ pid: 4711 })
  })

  test('where none runs at the start it does not wait', async () => {
    expect((await ctl('status --watch --socket /nowhere/s')).code).toBe(3)
  })
})

const probing = {
  checks: 12,
  rate: 6,
  open: 9,
  load: 0.8,
  memory: 150 * 2 ** 20,
  remarks: ['9 probes may be under way at once: raise LimitNOFILE'],
}

describe('check', () => {
  const counts = { vrrpInstances: 0, virtualServers: 1, realServers: 2, checkers: 2 }
  const told = (severity: 'error' | 'warning', line: number, text: string): CheckedConfig['remarks'][number] => ({
    code: severity === 'error' ? 'E030' : 'W043',
    severity,
    text,
    place: { file: 'a.conf', line, column: 1 },
  })
  const fine: CheckedConfig = {
    errors: 0,
    warnings: 0,
    diagnostics: [],
    remarks: [],
    leftOut: [],
    config: { globals: {} },
    counts,
  }
  const warned: CheckedConfig = {
    ...fine,
    warnings: 1,
    diagnostics: ['a.conf:3:1: warning: quorum is above the sum of weights'],
    remarks: [told('warning', 3, 'quorum is above the sum of weights')],
  }
  const faulty: CheckedConfig = {
    ...fine,
    errors: 1,
    diagnostics: ['a.conf:1:1: error: no\n  1 | x\n    | ^'],
    remarks: [told('error', 1, 'no')],
    leftOut: ['vrrp_instance VI_1'],
    config: undefined,
  }

  test.for([
    ['check a.conf', fine, 0, 'a.conf: fine, 0 errors, 0 warnings; 1 virtual server, 2 real servers, 2 checkers\n'],
    ['check a.conf', warned, 0, 'a.conf: fine, 0 errors, 1 warning; 1 virtual server'],
    ['check a.conf', faulty, 1, '1 | x\n    | ^\nleft out: vrrp_instance VI_1\na.conf: not fine, 1 error'],
  ] as const)('%s', async ([line, checked, code, text]) => {
    const answer = await ctl(line, { configTools: { check: () => Promise.resolve(checked) } })
    expect(answer.code).toBe(code)
    expect(answer.out).toContain(text)
  })

  test('JSON: diagnostics as data and the effective configuration', async () => {
    const { out, code } = await ctl('check --json a.conf', {
      configTools: { check: () => Promise.resolve(warned) },
    })
    expect([code, json(out)]).toMatchObject([
      0,
      {
        schema: 1,
        file: 'a.conf',
        ok: true,
        config: { globals: {} },
        diagnostics: [{ code: 'W043', place: { line: 3 }, rendered: warned.diagnostics[0] }],
      },
    ])
  })

  test('what it would need', async () => {
    const { out } = await ctl('check a.conf', { configTools: { check: () => Promise.resolve({ ...fine, probing }) } })
    expect(out).toContain('12 distinct checks: 6 probes a second')
    expect(out).toContain('! 9 probes may be under way at once')
  })

  test('how the file is read', async () => {
    const asked: unknown[] = []
    const check: ConfigTools['check'] = (...given) => {
      asked.push(given)
      return Promise.resolve(fine)
    }
    await ctl('check --strict -i lb1 a.conf', { configTools: { check } })
    director.status = () => Promise.resolve(status({ config: { ...status().config, file: '/etc/own.conf' } }))
    await ctl('check', { configTools: { check } })
    await ctl('check --socket /nowhere', { configTools: { check } })
    expect(asked).toEqual([
      ['a.conf', { strict: true, configId: 'lb1' }],
      ['/etc/own.conf', { strict: false, configId: undefined }],
      ['/etc/keepalived/keepalived.conf', { strict: false, configId: undefined }],
    ])
  })

  test('a file that cannot be read; no director is needed', async () => {
    const check = (): Promise<never> => Promise.reject(new Error("ENOENT: no such file or directory, open 'x.conf'"))
    const answer = await ctl('check x.conf --socket /nowhere', { configTools: { check } })
    expect([answer.code, answer.out]).toEqual([1, expect.stringContaining('no such file or directory')])
  })
})

describe('files', () => {
  const converted = { json: { a: 1 }, conf: 'a 1\n', errors: 0, diagnostics: [] }
  const convert = (): Promise<ConvertedConfig> => Promise.resolve(converted)

  test.for([
    ['convert a.conf', '{\n  "a": 1\n}\n'],
    ['convert --to conf a.conf', 'a 1\n'],
    ['config a.conf', 'a 1\n'],
    ['config --json a.conf', '{\n  "a": 1\n}\n'],
  ] as const)('%s', async ([line, wanted]) => {
    expect(await ctl(line, { configTools: { convert } })).toEqual({ code: 0, out: wanted, err: '' })
  })

  test('what is not JSON already becomes JSON, and the other way round', async () => {
    await writeFile(join(directory, 'a.json'), '{ "a": 1 }')
    expect((await ctl(`convert ${directory}/a.json`, { configTools: { convert } })).out).toBe('a 1\n')
  })

  test('nothing is written of a file with an error in it', async () => {
    const faulty = (): Promise<ConvertedConfig> =>
      Promise.resolve({ ...converted, errors: 1, diagnostics: ['a.conf:1:1: no'] })
    expect(await ctl('convert a.conf', { configTools: { convert: faulty } })).toEqual({
      code: 1,
      out: '',
      err: 'a.conf:1:1: no\n',
    })
  })

  test('fmt takes every file', async () => {
    const parsed = await parseCommandLine(['fmt', 'a', 'b', 'c'], { version: '0', columns: 80 })
    expect(parsed).toMatchObject({ files: ['a', 'b', 'c'] })
  })

  test('fmt prints, writes, or only tells', async () => {
    const file = join(directory, 'a.conf')
    await writeFile(file, 'ugly\n', { mode: 0o640 })
    const configTools = { format: (text: string) => text.replace('ugly', 'nice') }
    expect(await ctl(`fmt ${file}`, { configTools })).toEqual({ code: 0, out: 'nice\n', err: '' })
    expect(await ctl(`fmt --check ${file}`, { configTools })).toEqual({ code: 1, out: `${file}\n`, err: '' })
    expect(await ctl(`fmt -w ${file}`, { configTools })).toEqual({ code: 0, out: '', err: '' })
    expect([await readFile(file, 'utf8'), (await stat(file)).mode & 0o777]).toEqual(['nice\n', 0o640])
    expect(await ctl(`fmt --check ${file}`, { configTools })).toEqual({ code: 0, out: '', err: '' })
    expect(await readdir(directory)).not.toContainEqual(expect.stringContaining('.tmp'))
  })

  test('fmt leaves alone what it cannot lay out, or cannot read', async () => {
    const file = join(directory, 'a.conf')
    await writeFile(file, 'a {\n')
    const open = await ctl(`fmt -w ${file}`, { configTools: { format: () => undefined } })
    expect([open.code, open.err]).toEqual([1, expect.stringContaining('its braces do not match')])
    await writeFile(file, Buffer.of(0xff, 0x41))
    const binary = await ctl(`fmt -w ${file}`)
    expect([binary.code, binary.err]).toEqual([1, expect.stringContaining('is not UTF-8')])
    expect((await ctl('fmt /nowhere/a')).code).toBe(1)
  })

  test('explain CODE needs no director', async () => {
    const explain: ConfigTools['explain'] = (code) =>
      code.toUpperCase() === 'W043'
        ? { code: 'W043', severity: 'warning', title: 'a quorum', keepalived: 'ok', doc: 'Too much is asked for.' }
        : undefined
    const configTools = { explain, codes: () => ['W043', 'W044'] }
    const { code, out } = await ctl('explain w043 --socket /nowhere', { configTools })
    expect([code, out]).toEqual([0, expect.stringContaining('W043: a quorum\n  Too much is asked for.')])
    const unknown = await ctl('explain W943 --socket /nowhere', { configTools })
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('no code W943; did you mean W043')])
  })
})

describe('steering', () => {
  test('reload: what changed', async () => {
    expect(await ctl('reload')).toMatchObject({
      code: 0,
      out: '  real server 10.0.0.5:80 of 192.0.2.1:80/tcp: added\nreloaded: 1 change, 1 write to the kernel\n',
    })
  })

  test('reload refused', async () => {
    director.reload = () =>
      Promise.resolve(reloadResult({ ok: false, diagnostics: ['a.conf:1:1: no'], changes: [], writes: 0 }))
    const { code, out } = await ctl('reload')
    expect([code, out]).toEqual([1, 'a.conf:1:1: no\nreload refused: the configuration that was running goes on\n'])
    expect(await ctl('reload --json')).toMatchObject({
      code: 1,
      out: expect.stringContaining('"ok": false') as unknown,
    })
  })

  test('drift: the last report, or an audit now', async () => {
    expect((await ctl('drift --exit-code')).code).toBe(0)
    expect(director.calls).toEqual(['drift'])
    const { code, out } = await ctl('drift --now --exit-code')
    expect([code, director.calls.at(-1)]).toEqual([6, 'audit'])
    expect(out).toContain('destination 10.0.0.3:80 of 192.0.2.1:80/tcp had weight 0, wanted 1: repaired')
    expect(json((await ctl('drift --json')).out)).toMatchObject({ found: [] })
  })

  test.for([
    ['stop', 'stop'],
    ['stop --keep', 'stop keep'],
  ] as const)('%s', async ([line, call]) => {
    expect((await ctl(line)).code).toBe(0)
    await expect.poll(() => director.calls).toEqual([call])
  })

  test('version, with and without a director', async () => {
    expect((await ctl('version')).out).toContain('ipvs-director 0.1.0, pid 4711')
    expect(json((await ctl('version --json')).out)).toMatchObject({ ctl: '0.1.0', director: { pid: 4711 } })
    expect(await ctl('version --socket /nowhere/s')).toMatchObject({
      code: 0,
      out: expect.stringContaining('no director') as unknown,
    })
  })
})

describe('events', () => {
  test('those remembered, after one', async () => {
    director.events.push(event(1), event(2), event(3))
    const { code, out } = await ctl('events --json --after 1')
    expect([
      code,
      out
        .trim()
        .split('\n')
        .map((line) => (json(line) as { sequence: number }).sequence),
    ]).toEqual([0, [2, 3]])
  })

  test('forgotten ones are told', async () => {
    director.events.push(event(10))
    expect((await ctl('events --after 4')).err).toBe('5 events are no longer remembered\n')
  })

  test('followed over a restart of the director; Ctrl-C ends it', async () => {
    director.events.push(event(1, { message: 'first' }))
    const tools = toolsFor()
    const running = runCtl(['events', '--follow'], tools)
    await expect.poll(() => tools.out()).toContain('first')
    director.emit(event(2, { message: 'second' }))
    await expect.poll(() => tools.out()).toContain('second')
    await server?.close()
    await expect.poll(() => tools.err()).toContain('the director ended; waiting')
    director = fakeDirector()
    const { version } = director
    director.version = () => ({ ...version(), pid: 4999 })
    director.events.push(event(1, { message: 'anew' }))
    await serve()
    await expect
      .poll(async () => {
        await tools.clock.advance(seconds(1))
        return tools.out()
      })
      .toContain('anew')
    tools.interrupt()
    expect(await running).toBe(0)
    expect(tools.out().match(/first|second|anew/g)).toEqual(['first', 'second', 'anew'])
  })
})

describe('lists, explain, watch', () => {
  test('servers and checks, only those not up', async () => {
    director.status = () => Promise.resolve(busyStatus())
    const servers = json((await ctl('servers --json --down')).out) as {
      servers: { name: string; virtualServer: string }[]
    }
    expect(servers.servers.map((one) => one.name)).toEqual([
      '10.0.0.4:80',
      '10.0.0.5:80',
      '[2001:db8:1234:5678:9abc:def0:1234:1]:53',
    ])
    expect(servers.servers[0]?.virtualServer).toBe('192.0.2.1:80/tcp')
    const checks = json((await ctl('checks --json --down')).out) as { checks: { server: string }[] }
    expect(checks.checks.map((one) => one.server)).toContain('10.0.0.3:80')
    expect((await ctl('servers')).out).toContain('of 192.0.2.1:80/tcp')
    expect((await ctl('checks 192.0.2.1:80')).out).toContain('HTTP_GET')
  })

  test('explain', async () => {
    director.status = () => Promise.resolve(busyStatus())
    expect((await ctl('explain 10.0.0.4:80')).out).toContain('one success of TCP_CHECK 10.0.0.4:80, due in 4 s')
    expect(json((await ctl('explain --json 192.0.2.1:80')).out)).toMatchObject({
      explanations: [{ about: '192.0.2.1:80/tcp: up for 3 min' }],
    })
    expect(await ctl('explain 10.0.0.44:80')).toMatchObject({
      code: 1,
      err: expect.stringContaining('did you mean 10.0.0.4:80') as unknown,
    })
  })

  test.for([
    [
      'disabled',
      { admin: 'disabled', since: fixtureNow - 5000 },
      'disabled by hand 5 s ago: "ipvs-ctl enable" puts it back',
    ],
    [
      'of its host',
      { admin: 'drained', host: true },
      'with its host, drained by hand: "ipvs-ctl maintenance --off" puts it back',
    ],
    [
      'draining',
      { admin: 'draining', connectionsLeft: 3, deadline: fixtureNow + 60_000 },
      'by hand, 3 connections left, out in 1 min whatever is left',
    ],
    ['another weight', { weight: 7 }, 'set by hand: "ipvs-ctl reset" gives it back'],
    ['on its way out', { leaving: true }, 'a reload removed it'],
    ['forced', { force: 'up' }, 'it counts as up by hand, whatever its checks say, until "ipvs-ctl reset 10.0.0.2:80"'],
  ] as const)('explain tells what was asked for by hand: %s', async ([, steering, told]) => {
    const one = serverStatus({ steering: { ...idle, ...steering } })
    director.status = () => Promise.resolve(status({ virtualServers: [virtualServer({ servers: [one] })] }))
    expect((await ctl('explain 10.0.0.2:80')).out.replace(/\s+/g, ' ')).toContain(told)
  })

  test('explain: all that moved a weight, in order, and checks that rest', async () => {
    const weightSteps = [
      { by: 'hand', weight: 6, why: 'weight 6 by hand' },
      { by: 'panic_threshold', weight: 6, why: 'the checks are not believed' },
      { by: 'slow_start', weight: 3, why: '50 % of weight 6' },
    ] as const
    const one = { ...downServer('10.0.0.2:80', 'x'), wantedWeight: 3, kernelWeight: 3, weightSteps }
    const service = virtualServer({ panic: true, suspended: true, servers: [{ ...one, steering: { ...idle, weight: 6 } }] }) // prettier-ignore
    director.status = () => Promise.resolve(status({ virtualServers: [service] }))
    expect((await ctl('explain 10.0.0.2:80')).out.replace(/\s+/g, ' ')).toContain(
      'weight 3 is wanted: the checks are not believed; 50 % of weight 6; ' +
        'set by hand: "ipvs-ctl reset" gives it back to the file; ' +
        'its checks rest while its VIP is not on this machine (ha_suspend): what they said last counts; and the kernel has it so',
    )
  })

  test('watch draws rates and events, and ends by q', async () => {
    director.events.push(event(1))
    const tools = toolsFor({ terminal: { columns: 80, rows: 40 } })
    const running = runCtl(['watch'], tools)
    await expect.poll(() => tools.out()).toContain('last events')
    director.emit(event(2, { message: 'another one' }))
    await tools.clock.advance(seconds(2))
    await expect.poll(() => tools.out()).toContain('another one')
    tools.press('q')
    expect(await running).toBe(0)
    expect(tools.out().endsWith('\x1b[?1049l')).toBe(true)
  })

  test('watch drains what is chosen, once that is confirmed', async () => {
    director.status = () => Promise.resolve(busyStatus())
    const asked: unknown[] = []
    director.steer = (request) => {
      asked.push(request)
      return Promise.resolve({ ok: true, changes: ['10.0.0.2:80: draining'] })
    }
    const tools = toolsFor({ terminal: { columns: 80, rows: 24 } })
    const running = runCtl(['watch'], tools)
    await expect.poll(() => tools.out()).toContain('q quits')
    tools.press('j')
    // Typed in one go, the y is no answer: nobody has seen the question.
    tools.press('dy')
    await expect.poll(() => tools.out()).toContain('drain 10.0.0.2:80 of 192.0.2.1:80/tcp? y does it')
    expect(asked).toEqual([])
    tools.resize(60, 12)
    tools.press('y')
    await expect.poll(() => tools.out()).toContain('done: 10.0.0.2:80: draining')
    expect(asked).toEqual([{ action: 'drain', server: '10.0.0.2:80', service: '192.0.2.1:80/tcp' }])
    tools.press('q')
    expect(await running).toBe(0)
  })

  test('watch on a dumb terminal: pictures one after the other, no escape sequences', async () => {
    const tools = toolsFor({ terminal: { columns: 80, rows: 24 }, env: { TERM: 'dumb' } })
    const running = runCtl(['watch'], tools)
    await expect.poll(() => tools.out()).toContain('VIRTUAL SERVER')
    tools.interrupt()
    expect(await running).toBe(0)
    expect(tools.out()).not.toContain('\x1b')
  })
})

describe('usage', () => {
  test.for([
    ['', 'no command given'],
    ['statsu', 'unknown command "statsu"; did you mean "status"?'],
    ['status --jsn', 'unknown option "--jsn"; did you mean "--json"?'],
    ['status a b', 'one word too many: "b"'],
    ['convert', '"convert" needs to be told what'],
    ['convert a --to xml', 'Given: "xml"'],
    ['status --watch=soon', 'the pace is a number of seconds'],
    ['status --watch 0', 'the pace is a number of seconds'],
    ['watch --every 0', 'the pace is a number of seconds'],
    ['status --socket', '--socket takes a value'],
    ['events --after x', '--after takes the sequence of an event'],
    ['drift --no-now', 'unknown option "--no-now"'],
    ['completion tcsh', 'Given: "tcsh"'],
  ] as const)('"%s" ends with 2: %s', async ([line, text]) => {
    const { code, out, err } = await ctl(line)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(text)
    expect(err).toMatch(/Try: ipvs-ctl .*--help\n$/)
  })

  test('help fits 80 columns and tells the exit statuses', async () => {
    const { code, out } = await ctl('--help')
    expect(code).toBe(0)
    expect(out).toContain('  3  no director is running')
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test('no daemon: a clear sentence, status 3', async () => {
    expect(await ctl('reload --socket /nowhere/s')).toEqual({
      code: 3,
      out: '',
      err: 'ipvs-ctl: no director is running: nothing listens on /nowhere/s\n',
    })
  })

  test('--version', async () => {
    expect(await ctl('--version')).toMatchObject({ code: 0, out: '0.1.0\n' })
  })
})

describe('steering', () => {
  test.each([
    ['drain 10.0.0.2:80 --deadline 90s', { action: 'drain', server: '10.0.0.2:80', deadline: 90_000 }],
    ['disable 10.0.0.2:80 web', { action: 'disable', service: 'web', server: '10.0.0.2:80' }],
    ['enable 10.0.0.2:80', { action: 'enable', server: '10.0.0.2:80' }],
    ['weight 10.0.0.2:80 0', { action: 'weight', server: '10.0.0.2:80', weight: 0 }],
    ['force down 10.0.0.2:80', { action: 'force', server: '10.0.0.2:80', force: 'down' }],
    ['maintenance 10.0.0.2', { action: 'maintenance', host: '10.0.0.2', on: true }],
    ['maintenance 10.0.0.2 --off', { action: 'maintenance', host: '10.0.0.2', on: false }],
    [
      'add web 10.0.0.9:80 --like 10.0.0.2:80 --weight 3',
      { action: 'add', service: 'web', server: '10.0.0.9:80', weight: 3, like: '10.0.0.2:80' },
    ],
    ['remove 10.0.0.2:80', { action: 'remove', server: '10.0.0.2:80' }],
    ['reset', { action: 'reset' }],
    ['remove-service web/tcp', { action: 'remove-service', service: 'web/tcp', drain: false }],
    [
      'remove-service web/tcp --deadline 5min',
      { action: 'remove-service', service: 'web/tcp', drain: true, deadline: 300_000 },
    ],
    ['reset 192.0.2.1:80/tcp', { action: 'reset', service: '192.0.2.1:80/tcp' }],
    ['reset 10.0.0.2:80 web', { action: 'reset', server: '10.0.0.2:80', service: 'web' }],
  ])('%s', async (words, request) => {
    const { code, out } = await ctl(words)
    expect(out).toContain('draining')
    expect(code).toBe(0)
    const asked = director.calls.find((call) => call.startsWith('steer '))?.slice('steer '.length)
    expect(JSON.parse(asked ?? '')).toEqual(request)
  })

  const textSent = (): string => {
    const asked = director.calls.find((call) => call.startsWith('steer '))?.slice('steer '.length)
    return (JSON.parse(asked ?? '') as { text: string }).text
  }

  test('add-service writes its words as keepalived.conf', async () => {
    const words = 'add-service 192.0.2.9:53/udp 10.0.0.2:53 [2001:db8::2]:53 --algo wrr --method NAT --check none'
    expect((await ctl(words)).code).toBe(0)
    expect(textSent()).toBe(`virtual_server 192.0.2.9 53 {
    protocol UDP
    lb_algo wrr
    lb_kind NAT
    real_server 10.0.0.2 53 {
    }
    real_server 2001:db8::2 53 {
    }
}
`)
  })

  test.each([
    ['add-service', 2, 'wanted a virtual server, or --file'],
    ['add-service web', 1, 'not an address with a port'],
    ['add-service 192.0.2.9:80 10.0.0.2:80 --check ping', 1, 'no check'],
    ['add-service --file /no/such/file', 1, 'no such file'],
  ])('%s is refused', async (words, status, complaint) => {
    const { code, err } = await ctl(words)
    expect({ code, err }).toEqual({ code: status, err: expect.stringContaining(complaint) as string })
  })

  test('add-service --file sends the file, and prints what is wrong with it', async () => {
    const file = fileURLToPath(new URL('../../../configs/dr/keepalived.conf', import.meta.url))
    director.steer = () =>
      Promise.resolve({ ok: false, problem: 'it cannot be used', candidates: [], diagnostics: ['snippet:3:5: no'] })
    const { code, out } = await ctl(`add-service --file ${file}`)
    expect(code).toBe(1)
    expect(out).toContain('snippet:3:5: no')
    expect(out).toContain('nothing is added: it cannot be used')
  })

  test('what does not exist is refused, with what does', async () => {
    director.steer = () =>
      Promise.resolve({ ok: false, problem: 'there is no real server x in web', candidates: ['10.0.0.2:80'] })
    const { code, err } = await ctl('drain x web')
    expect(code).toBe(1)
    expect(err).toContain('there is no real server x in web; did you mean 10.0.0.2:80?')
  })

  test.each(['0', '-1s', '5parsecs'])('--deadline %j is no time', async (deadline) => {
    expect((await ctl(`drain x --deadline=${deadline}`)).code).toBe(2)
  })

  test('a drain that is waited for tells how far it is', async () => {
    const draining = (connectionsLeft: number): Promise<Status> => {
      const steering = { ...idle, admin: 'draining' as const, connectionsLeft, deadline: fixtureNow + 30_000 }
      return Promise.resolve(status({ virtualServers: [virtualServer({ servers: [serverStatus({ steering })] })] }))
    }
    const servers = [serverStatus({ steering: { ...idle, admin: 'drained' } })]
    const drained = () => Promise.resolve(status({ virtualServers: [virtualServer({ servers })] }))
    const answers = [() => Promise.resolve(status()), () => draining(3)]
    director.status = () => (answers.shift() ?? drained)()
    const { code, out } = await ctl('drain 10.0.0.2:80 --wait')
    expect(code).toBe(0)
    expect(out).toContain('3 connections left, at most')
    expect(out).toMatch(/\ndrained\n$/)
  })

  test('a drain that somebody else takes back meanwhile is not told to be done', async () => {
    const of = (admin: 'draining' | undefined) => {
      const servers = [serverStatus({ steering: { ...idle, admin, weight: 3 } })]
      return Promise.resolve(status({ virtualServers: [virtualServer({ servers })] }))
    }
    const answers = [() => of('draining')]
    director.status = () => (answers.shift() ?? (() => of(undefined)))()
    const { code, out } = await ctl('drain 10.0.0.2:80 --wait')
    expect(code).toBe(1)
    expect(out).toContain('not drained: 10.0.0.2:80 is in use again')
  })
})

const idle: SteeringStatus = {
  admin: undefined,
  host: false,
  since: undefined,
  deadline: undefined,
  connectionsLeft: undefined,
  weight: undefined,
  force: undefined,
  added: false,
  leaving: false,
}

describe('probers', () => {
  test('those that run, and what they need', async () => {
    const probers = [...status().probers, { name: 'bfd', pid: undefined, checks: 2, restarts: 1 }]
    director.status = () => Promise.resolve(status({ probers, probing }))
    expect((await ctl('probers')).out).toBe(`prober 1: process 4712, 3 checks, 0 restarts
bfd: not running, 2 checks, 1 restart
12 distinct checks: 6 probes a second, 80 % of what the probers can do; at most
  9 at once; about 150 MiB
! 9 probes may be under way at once: raise LimitNOFILE
`)
    expect((await ctl('status')).out).toContain('! 9 probes may be under way at once: raise LimitNOFILE')
    director.status = () => Promise.resolve(status({ probers: [] }))
    expect((await ctl('probers')).out).toContain('probed by the director itself')
  })

  test('one is started anew: by its name, by its number', async () => {
    expect((await ctl('probers restart bfd')).out).toBe('bfd is started anew; its servers keep their state\n')
    expect((await ctl('probers restart 1')).code).toBe(0)
    expect(director.calls).toEqual(['restart bfd', 'restart prober 1'])
    director.restartProber = () => Promise.reject(new RangeError('there is no prober "prober 9"'))
    expect(await ctl('probers restart 9')).toMatchObject({ code: 1, err: 'ipvs-ctl: there is no prober "prober 9"\n' })
  })

  test.each(['probers restart', 'probers stop 1'])('%s is misuse', async (line) => {
    expect((await ctl(line)).code).toBe(2)
  })
})

describe('vrrp', () => {
  test.each(['move', 'hold', 'release'])('%s', async (action) => {
    expect((await ctl(`vrrp ${action} VI_1`)).code).toBe(0)
    expect(director.calls).toContain(`vrrp ${action} VI_1`)
  })

  test.each(['vrrp move', 'vrrp stop VI_1', 'vrrp move VI_1 VI_2'])('%s is misuse', async (line) => {
    expect((await ctl(line)).code).toBe(2)
  })

  test('no VRRP, an instance that is none', async () => {
    expect(await ctl('vrrp')).toMatchObject({ code: 1, err: expect.stringContaining('no VRRP runs') as string })
    director.vrrp = () => Promise.reject(new RangeError('there is no vrrp_instance VI_9'))
    const refused = await ctl('vrrp move VI_9')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('no vrrp_instance VI_9') as string })
  })

  test('an address that a backup has by hand', async () => {
    const vrrp = splitBrain()
    const [one] = vrrp.instances
    const instances = one === undefined ? [] : [{ ...one, state: 'backup', strays: ['192.0.2.1'] } as const]
    director.status = () => Promise.resolve(status({ vrrp: { ...vrrp, instances } }))
    expect((await ctl('vrrp')).out).toContain('! 192.0.2.1 IS HERE ALTHOUGH IT IS NOT MASTER')
    expect((await ctl('status --exit-code')).code).toBe(6)
  })

  test('the screen: what it is, why, and what others say', async () => {
    director.status = () => Promise.resolve(status({ vrrp: splitBrain() }))
    const { out } = await ctl('vrrp')
    expect(out).toBe(`vrrp process 4713, event loop late by 0.2 ms, 3 at worst
sync group G1: MASTER for 3 min: VI_1

vrrp VI_1 (group G1): MASTER for 3 min
  the master went silent
  VRID 51 on eth0, VRRPv3, adverts every 1000 ms, takes over after 3414 ms of
    silence
  priority 120 = 150 - 30 script chk_web
  addresses 192.0.2.1/24; lease 2 s more
  peer 10.0.0.3, priority 100, 40 adverts, last heard 1 s ago
  next: advert in 400 ms
  adverts 180 sent, 40 received; master 1 time
  rejected: 3 ttl
      ! ANOTHER MASTER: 10.0.0.3, priority 100, since 30 s ago
`)
    expect((await ctl('status')).out).toContain('! ANOTHER MASTER: 10.0.0.3')
  })
})

describe('plan, trial', () => {
  test('plan shows what would change, as a diff', async () => {
    const { code, out } = await ctl('plan')
    expect(code).toBe(0)
    expect(out).toContain('+ add 10.0.0.9:80')
    expect(out).toContain('1 change')
  })

  test('plan of what only this process can read is refused', async () => {
    for (const path of ['/dev/fd/63', '/dev/stdin', '/proc/self/fd/3']) {
      const { code, err } = await ctl(`plan ${path}`)
      expect([code, err]).toEqual([1, expect.stringContaining('means something else to the director')])
    }
    expect(director.calls).not.toContain('plan')
  })

  test('reload --confirm, confirm', async () => {
    const asked: unknown[] = []
    director.reload = (how?: unknown) => {
      asked.push(how)
      return Promise.resolve(reloadResult({ confirmWithin: 60_000 }))
    }
    const { out } = await ctl('reload --confirm 60s')
    expect(asked).toEqual([{ confirmWithin: 60_000 }])
    expect(out).toContain('on trial: rolled back in 1 min without `ipvs-ctl confirm`')
    expect((await ctl('confirm')).code).toBe(0)
    expect(director.calls).toContain('confirm')
  })

  test('nothing to confirm is refused', async () => {
    director.confirm = () => false
    const { code, err } = await ctl('confirm')
    expect([code, err]).toEqual([1, expect.stringContaining('no reload waits')])
  })
})

describe('completion', () => {
  test('knows exactly the commands and options that the parser takes', async () => {
    for (const { name, options, word } of knownCommands) {
      const parsed = await parseCommandLine([name, '--help'], { version: '0', columns: 80 })
      if (!('output' in parsed)) throw new Error(`no help for ${name}`)
      const listed = [...parsed.output.matchAll(/^ {2}(?:-\w, |    )(--[a-z-]+)/gm)].map((match) => match[1])
      expect(listed.filter((one) => !['--version', '--help', '--socket'].includes(one ?? '')).sort(), name).toEqual(
        [...options].sort(),
      )
      expect(parsed.output.includes('Positionals:'), name).toBe(word !== undefined)
    }
    const { out } = await ctl('--help')
    const commands = [...out.matchAll(/^ {2}ipvs-ctl ([a-z-]+)(?: [[<]\w+(?:\.\.)?[\]>])* {2,}[A-Z]/gm)].map(
      (match) => match[1],
    )
    expect(commands).toEqual(knownCommands.map(({ name }) => name))
  })

  test('bash completes commands, options and names of services', async () => {
    director.status = () => Promise.resolve(busyStatus())
    const names = (await ctl('names')).out
    const script = (await ctl('completion bash')).out
    const complete = (...words: string[]): string[] => {
      const program = `ipvs-ctl() { cat <<'END'\n${names}END\n}\n${script}
        COMP_WORDS=(ipvs-ctl ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
        _ipvs_ctl; printf '%s\\n' "\${COMPREPLY[@]}"`
      return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split('\n')
    }
    expect(complete('st')).toEqual(['status', 'stop'])
    expect(complete('status', '--j')).toEqual(['--json'])
    expect(complete('status', '192')).toEqual(['192.0.2.1:80/tcp'])
    expect(complete('completion', 'z')).toEqual(['zsh'])
  })

  test.for(['zsh', 'fish'])('%s names every command', async (shell) => {
    const { code, out } = await ctl(`completion ${shell}`)
    expect(code).toBe(0)
    for (const { name } of knownCommands) expect(out).toContain(name)
  })
})

describe('all commands alike', () => {
  /** They print text for people or for other programs, and nothing else. */
  const text = ['watch', 'convert', 'fmt', 'genhash', 'completion']

  test('every command answers in JSON, but those that print text', () => {
    const without = knownCommands.filter(({ options }) => !options.includes('--json')).map(({ name }) => name)
    expect(without.sort()).toEqual([...text].sort())
  })

  const words: Readonly<Record<string, string>> = {
    explain: '10.0.0.2:80',
    ...{ drain: '10.0.0.2:80', disable: '10.0.0.2:80', enable: '10.0.0.2:80', remove: '10.0.0.2:80' },
    ...{ weight: '10.0.0.2:80 3', force: 'up 10.0.0.2:80', maintenance: '10.0.0.2' },
    ...{ add: '192.0.2.1:80 10.0.0.3:80', 'remove-service': '192.0.2.1:80', 'add-service': '192.0.2.9:80 10.0.0.3:80' },
  }
  const alone = ['check', 'config', 'convert', 'fmt', 'doctor', 'genhash', 'completion', 'version']
  const asking = knownCommands.map(({ name }) => name).filter((name) => !alone.includes(name))

  test.for(asking)('%s without a director: one sentence, and 3', async (name) => {
    const answer = await ctl(`${name} ${words[name] ?? ''} --socket /nowhere/s`.replace(/ +/g, ' '))
    expect(answer).toMatchObject({ code: 3, out: '' })
    expect(answer.err).toMatch(/^ipvs-ctl: no director is running: nothing listens on \/nowhere\/s\n$/)
  })
})
