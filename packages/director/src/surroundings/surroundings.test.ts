import { filesInMemory, loadConfig, type Config } from '@ipvs-director/config'
import { checkers } from '@ipvs-director/checkers'
import { arrayLogger } from '@ipvs-director/core/testing'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { readCommandLine } from '../options.ts'
import { createDumps, dumpPath } from './dumps.ts'
import { runLifeScript } from './life-scripts.ts'
import { placesOf } from './places.ts'
import { unchangeable } from './settle.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'surroundings-'))
})

async function configOf(text: string): Promise<Config> {
  const { config } = await loadConfig('/x.conf', { read: filesInMemory(new Map([['/x.conf', text]])), checkers })
  if (config === undefined) throw new Error('no configuration')
  return config
}

describe('where a run keeps its files', () => {
  test.each([
    [
      '',
      [],
      ['/run/ipvs-director/control.sock', '/run/ipvs-director', '/var/lib/ipvs-director/overlay.json', undefined],
    ],
    [
      'instance blue',
      [],
      [
        '/run/ipvs-director/blue/control.sock',
        '/run/ipvs-director/blue',
        '/var/lib/ipvs-director/blue/overlay.json',
        undefined,
      ],
    ],
    [
      'net_namespace red\ninstance blue\nuse_pid_dir',
      [],
      [
        '/run/ipvs-director/red_blue/control.sock',
        '/run/ipvs-director/red_blue',
        '/var/lib/ipvs-director/red_blue/overlay.json',
        '/run/ipvs-director/red_blue/ipvs-director.pid',
      ],
    ],
    [
      'net_namespace red',
      ['-s', 'green'],
      [
        '/run/ipvs-director/green/control.sock',
        '/run/ipvs-director/green',
        '/var/lib/ipvs-director/green/overlay.json',
        undefined,
      ],
    ],
    [
      'instance blue\nuse_pid_dir',
      ['--state-dir', '/srv/x', '-p', '/srv/pid'],
      ['/srv/x/control.sock', '/srv/x', '/srv/x/overlay.json', '/srv/pid'],
    ],
  ] as const)('%j %j', async (text, argv, expected) => {
    const { process } = await configOf(text)
    const { socket, stateDirectory, overlay, pidFile } = placesOf(readCommandLine(argv), process)
    expect([socket, stateDirectory.replace(/\/$/, ''), overlay, pidFile]).toEqual(expected)
  })
})

test.each([
  ['instance a', 'instance b', /^instance cannot change/],
  ['net_namespace a', '', /^net_namespace cannot change/],
  ['net_namespace_ipvs', 'net_namespace_ipvs x', /^net_namespace_ipvs cannot change/],
  ['instance a\nchild_wait_time 3', 'instance a', undefined],
])('from %j to %j', async (now, next, expected) => {
  const problem = unchangeable((await configOf(now)).process, (await configOf(next)).process)
  if (expected === undefined) expect(problem).toBeUndefined()
  else expect(problem).toMatch(expected)
})

describe('dumps', () => {
  test.each([
    ['', '/run/d/ipvs-director.data'],
    ['global_defs { state_dump_file /srv/x.json\n }', '/srv/x.json'],
    ['global_defs { state_dump_file /srv/\n }', '/srv/ipvs-director.data'],
    ['global_defs { state_dump_file mine\n }', '/run/d/mine'],
    ['instance b\nglobal_defs { data_use_instance\n }', '/run/d/ipvs-director.b.data'],
    ['instance b\nglobal_defs { data_use_instance\n state_dump_file /srv/x\n }', '/srv/x.b'],
  ])('%j is written to %s', async (text, path) => {
    expect(dumpPath((await configOf(text)).process, '/run/d')).toBe(path)
  })

  test('a state is for root only, and a link in its place is replaced, not followed', async () => {
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'precious')
    symlinkSync(victim, join(folder, 'ipvs-director.data'))
    const secret =
      'vrrp_instance a { interface lo\n virtual_router_id 1\n authentication { auth_type PASS\n auth_pass geheim\n }\n virtual_ipaddress { 10.0.0.1\n }\n }'
    createDumps(folder, arrayLogger()).state(await configOf(secret), { hello: 1 })
    const path = join(folder, 'ipvs-director.data')
    const text = readFileSync(path, 'utf8')
    expect(JSON.parse(text)).toMatchObject({ status: { hello: 1 }, config: { vrrp: { instances: [{ name: 'a' }] } } })
    expect(text).not.toContain('geheim')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(victim, 'utf8')).toBe('precious')
  })

  test('copies before and after', async () => {
    const config = await configOf(`global_defs { config_save_dir ${folder}\n }`)
    const dumps = createDumps('/nowhere', arrayLogger())
    dumps.copy(config, 'post')
    dumps.copy(config, 'pre')
    dumps.copy(config, 'post')
    const name = (rest: string): string => `ipvs-director.${process.pid}.${rest}`
    expect(readdirSync(folder).sort()).toEqual([name('0.post'), name('1.post'), name('1.pre')].sort())
  })

  test('the marker is there while a configuration is read, also when that fails', async () => {
    const marker = join(folder, 'reading')
    const { process } = await configOf(`global_defs { reload_file ${marker}\n }`)
    const dumps = createDumps(folder, arrayLogger())
    const during = dumps.during(process, async () => {
      expect(existsSync(marker)).toBe(true)
      throw new Error('unreadable')
    })
    await expect(during).rejects.toThrow('unreadable')
    expect(existsSync(marker)).toBe(false)
  })

  test('a link in the place of the marker is not followed', async () => {
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'precious')
    symlinkSync(victim, join(folder, 'reading'))
    const { process } = await configOf(`global_defs { reload_file ${join(folder, 'reading')}\n }`)
    const logger = arrayLogger()
    expect(await createDumps(folder, logger).during(process, async () => 'read')).toBe('read')
    expect(readFileSync(victim, 'utf8')).toBe('precious')
    expect(logger.lines.map(({ event }) => event)).toEqual(['dump.failed'])
  })

  test('what cannot be written is said, and nothing else comes of it', async () => {
    const logger = arrayLogger()
    const blocked = join(folder, 'file')
    writeFileSync(blocked, '')
    createDumps(join(blocked, 'below'), logger).state(undefined, {})
    expect(logger.lines.map(({ event }) => event)).toEqual(['dump.failed'])
  })
})

describe('startup_script', () => {
  const run = async (script: string, more = ''): Promise<string[]> => {
    const path = join(folder, 'script')
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    const config = await configOf(`global_defs { script_user root\n startup_script ${path}\n ${more} }`)
    const logger = arrayLogger()
    await runLifeScript('startup_script', config.process.startup, config.globals, logger)
    return logger.lines.map(({ message }) => message.replace(path, 'PATH'))
  }

  test('is waited for', async () => {
    expect(await run(`sleep 0.2; touch ${join(folder, 'done')}`)).toEqual([])
    expect(existsSync(join(folder, 'done'))).toBe(true)
  })

  test('that fails, or takes too long, is told', async () => {
    expect(await run('exit 3')).toEqual(['startup_script PATH: exit status 3'])
    expect(await run('sleep 60', 'startup_script_timeout 1\n')).toEqual(['startup_script PATH: ended after 1 s'])
  })
})
