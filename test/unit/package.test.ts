/** The packages: made, installed into a folder, run from there, purged. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../lab/root.ts'

const run = promisify(execFile)
const dpkg = await run('dpkg', ['--version']).then(
  () => true,
  () => false,
)
const built = existsSync(join(root, 'build/ipvs-director.js')) && existsSync(join(root, 'build/vrrp.js'))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'package-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const config = `virtual_server 127.0.0.9 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 127.0.0.1 9 { TCP_CHECK { connect_timeout 1 } }
}
`

/** Runs a director without a kernel, asks it for its status, stops it. */
async function works(director: readonly string[], ctl: readonly string[]): Promise<void> {
  const state = mkdtempSync(join(folder, 'state-'))
  const file = join(state, 'keepalived.conf')
  await writeFile(file, config)
  const [program = '', ...words] = director
  const daemon = spawn(program, [...words, '-n', '-f', file, '--state-dir', state, '--memory-ipvs', '--probers', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  daemon.stderr.on('data', (text: Buffer) => (said += text.toString()))
  const ended = new Promise((resolve) => daemon.once('exit', resolve))
  try {
    const socket = join(state, 'control.sock')
    await expect.poll(() => existsSync(socket) || said, { timeout: 60_000 }).toBe(true)
    const [asking = '', ...more] = ctl
    const { stdout } = await run(asking, [...more, 'status', '--json', '--socket', socket])
    expect(JSON.parse(stdout)).toMatchObject({ virtualServers: [{ name: '127.0.0.9:80/tcp' }] })
    await run(asking, [...more, 'reload', '--socket', socket])
    await run(asking, [...more, 'stop', '--socket', socket])
    expect(await ended).toBe(0)
  } finally {
    daemon.kill('SIGKILL')
  }
}

describe.skipIf(!dpkg || !built)('the .deb (skipped without dpkg or a build)', () => {
  let target: string
  const at = (path: string): string => join(target, path)
  const installed = (...words: string[]) =>
    run('dpkg', [
      `--instdir=${target}`,
      `--admindir=${at('var/lib/dpkg')}`,
      ...['--force-script-chrootless', '--force-depends', '--force-not-root', '--force-bad-path', '--log=/dev/null'],
      ...words,
    ])

  beforeAll(async () => {
    await run(process.execPath, [join(root, 'scripts/package-deb.mjs'), folder, '--fast', '--built'])
    target = join(folder, 'root')
    for (const name of ['info', 'updates', 'triggers']) await mkdir(at(`var/lib/dpkg/${name}`), { recursive: true })
    for (const name of ['status', 'available']) await writeFile(at(`var/lib/dpkg/${name}`), '')
  }, 60_000)

  test('installs, works, is removed and purged clean', { timeout: 120_000 }, async () => {
    const [deb = ''] = readdirSync(folder).filter((name) => name.endsWith('.deb'))
    await installed('--install', join(folder, deb))
    for (const path of [
      'usr/lib/systemd/system/ipvs-director.service',
      'usr/share/man/man8/ipvs-director.8.gz',
      'usr/share/man/man8/ipvs-ctl.8.gz',
      'usr/share/man/man5/ipvs-director.conf.5.gz',
      'usr/share/bash-completion/completions/ipvs-ctl',
      'usr/share/doc/ipvs-director/copyright',
      'usr/share/doc/ipvs-director/examples/dr/keepalived.conf',
      'etc/default/ipvs-director',
    ])
      expect([path, existsSync(at(path))]).toEqual([path, true])
    await works([at('usr/sbin/ipvs-director')], [at('usr/sbin/ipvs-ctl')])
    await installed('--remove', 'ipvs-director')
    expect(existsSync(at('etc/default/ipvs-director'))).toBe(true)
    await installed('--purge', 'ipvs-director')
    const left = (await run('find', [target, '-not', '-path', `${at('var')}*`, '-not', '-type', 'd'])).stdout
    expect(left).toBe('')
    expect(existsSync(at('usr/lib/ipvs-director'))).toBe(false)
  })
})

describe.skipIf(!built)('the single file (skipped without a build)', () => {
  test('unpacks itself once, and is both programs', { timeout: 180_000 }, async () => {
    await run(process.execPath, [join(root, 'scripts/package-single.mjs'), folder, '--fast', '--built'])
    const [name = ''] = readdirSync(folder).filter((each) => each.endsWith('.run'))
    const file = join(folder, name)
    const env = { PATH: '/usr/bin:/bin', IPVS_DIRECTOR_UNPACK: join(folder, 'unpacked') }
    expect((await run(file, ['--version'], { env })).stdout).toMatch(/^ipvs-director \d/)
    const places = readdirSync(env.IPVS_DIRECTOR_UNPACK)
    expect(places).toHaveLength(1)
    symlinkSync(file, join(folder, 'ipvs-ctl'))
    expect((await run(join(folder, 'ipvs-ctl'), ['--version'], { env })).stdout).toMatch(/^\d/)
    const withEnv = ['env', `IPVS_DIRECTOR_UNPACK=${env.IPVS_DIRECTOR_UNPACK}`, file]
    await works(withEnv, [...withEnv, 'ctl'])
    expect(readdirSync(env.IPVS_DIRECTOR_UNPACK)).toEqual(places)
  })
})
