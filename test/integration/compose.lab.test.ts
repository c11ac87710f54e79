/**
 * docker/compose.yaml stood up: its machines, addresses, settings, files and commands, the directors in containers of our
 * making. Without Docker the programs come from build/, on the machine's own files; `npm run package:docker -- --try` builds
 * the image and names its root file system in CONTAINER_ROOT.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import type { Status } from '@ipvs-director/control'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCompose, volumesOf } from '../lab/compose-file.ts'
import { root, serveHttp, until, upLab, witnessTable, type HostSpec, type HttpServer, type Lab } from '../lab/index.ts'
import { startContainer, type Container, type Image } from './container.ts'

const compose = readCompose()
const services = Object.entries(compose.services)
const address = (name: string): string => compose.services[name]?.networks['lan']?.ipv4_address ?? ''

const folder = process.env['CONTAINER_ROOT']
const image: Image =
  folder === undefined
    ? { programs: Object.fromEntries(['ipvs-director', 'ipvs-ctl'].map((name) => [name, join(root, `build/${name}.js`)])) } // prettier-ignore
    : { folder }

let lab: Lab
const containers = new Map<string, Container>()
const webs = new Map<string, HttpServer>()

/** A real server's own lines for `ip`; its web server is one of the lab. */
const hostOf = (name: string, command: readonly string[] = []): HostSpec<'lan'> => ({
  links: { lan: [`${address(name)}/24`] },
  sysctls: compose.services[name]?.sysctls ?? {},
  ip: [...command.join('\n').matchAll(/^ip (.*)$/gm)].map(([, line = '']) => line),
})

beforeAll(async () => {
  const hosts = Object.fromEntries(services.map(([name, { command }]) => [name, hostOf(name, command)]))
  lab = await upLab({ networks: ['lan'], hosts })
  for (const [name, { build, entrypoint, hostname, cap_add: capabilities }] of services) {
    const host = lab.hosts[name]
    if (host === undefined || name === 'client') continue
    if (build === undefined) {
      webs.set(name, await serveHttp(host))
      continue
    }
    const files = Object.fromEntries(volumesOf(compose.services[name]!).map(({ file, at }) => [at, file]))
    const command = [...(entrypoint ?? []), ...(compose.services[name]?.command ?? [])]
    containers.set(name, startContainer(host, { image, hostname, command, capabilities: capabilities ?? [], files }))
  }
  for (const [, { process: director }] of containers) await director.says(/Startup complete/, seconds(60))
}, 240_000)
afterAll(async () => {
  for (const [, web] of webs) await web.close()
  await lab.down()
})

const status = async (name: string): Promise<Status> =>
  JSON.parse(await lab.hosts[name]!.output(['curl', '-sS', '--unix-socket', join(containers.get(name)!.run, 'ipvs-director/control.sock'), 'http://director/v1/status'])) as Status // prettier-ignore

/** What so many visits are answered with. */
async function visits(vip: string, count: number): Promise<Set<string>> {
  const urls = Array.from({ length: count }, () => `http://${vip}/`)
  return new Set(
    (await lab.hosts['client']!.output(['curl', '-sS', '-m', '10', '-H', 'Connection: close', ...urls]))
      .trim()
      .split('\n'),
  )
}

test('both directors serve, each by its own VIP', { timeout: 240_000 }, async () => {
  expect([...containers.keys()]).toEqual(['director1', 'director2'])
  for (const [name, vip] of [
    ['director1', '172.30.0.100'],
    ['director2', '172.30.0.101'],
  ] as const) {
    await until(`${name} finds both up`, seconds(60), async () =>
      (await status(name)).virtualServers[0]?.servers.every(({ state }) => state === 'up') === true,
    ) // prettier-ignore
    expect(await visits(vip, 4)).toEqual(new Set(['server1', 'server2']))
  }
})

test('what the image has to say about itself: version, check, health', { timeout: 240_000 }, async () => {
  const container = containers.get('director1')!
  const version = await container.exec('ipvs-ctl', 'version')
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ipvs-director \d.*, pid \d+/m) as string })
  const check = await container.exec('ipvs-ctl', 'check')
  expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('keepalived.conf: fine, 0 errors') as string })
  const health = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(readFileSync(join(root, 'docker/Dockerfile'), 'utf8'))?.[1]
  expect((await container.exec(...(JSON.parse(health ?? '') as string[]))).code).toBe(0)
})

test('no more than the container gives', async () => {
  const pid = (await status('director1')).pid
  const told = await containers.get('director1')!.exec('cat', `/proc/${pid}/status`)
  const bounds = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(told.stdout)?.[1] ?? ''}`)
  const [netAdmin, sysAdmin] = [12n, 21n]
  expect([(bounds >> netAdmin) & 1n, (bounds >> sysAdmin) & 1n]).toEqual([1n, 0n])
})

test('a real server is stopped: the other one serves', { timeout: 240_000 }, async () => {
  await webs.get('server2')?.close()
  webs.delete('server2')
  await until('it is out', seconds(60), async () => (await witnessTable(lab.hosts['director1']!))[0]?.destinations.length === 1) // prettier-ignore
  const screen = (await containers.get('director1')!.exec('ipvs-ctl', 'status')).stdout
  expect(screen).toMatch(new RegExp(`${address('server2').replaceAll('.', '\\.')}:80 +down`))
  expect(await visits('172.30.0.100', 4)).toEqual(new Set(['server1']))
})

test('stopped as Docker stops it: it ends with 0 and leaves nothing', { timeout: 120_000 }, async () => {
  const { process: director } = containers.get('director1')!
  const [init] = readFileSync(`/proc/${director.pid}/task/${director.pid}/children`, 'utf8').split(' ')
  process.kill(Number(init), 'SIGTERM')
  expect(await director.ended).toBe(0)
  expect(await witnessTable(lab.hosts['director1']!)).toEqual([])
  expect(existsSync(`/proc/${init}`)).toBe(false)
})
