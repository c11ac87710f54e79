/** docker/: what the compose file and the Dockerfile name is there, and docker-compose takes the file. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { loadConfig } from '@ipvs-director/config'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { composeFile, readCompose, volumesOf } from '../lab/compose-file.ts'
import { root } from '../lab/root.ts'
import { findProgram, toolEnvironment } from '../lab/tools.ts'
import { readCommandLine } from '../../packages/director/src/options.ts'

const compose = readCompose()
const services = Object.entries(compose.services)
const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8')

describe('compose.yaml', () => {
  test('has the machines of a lab', () => {
    expect(services.map(([name]) => name)).toEqual(['director1', 'director2', 'server1', 'server2', 'client'])
    for (const [name, { hostname }] of services) expect(hostname).toBe(name)
  })

  test('addresses are in their network, each once', () => {
    const subnet = compose.networks['lan']?.ipam.config[0]?.subnet ?? ''
    expect(subnet).toMatch(/\.0\/24$/)
    const addresses = services.map(([, { networks }]) => networks['lan']?.ipv4_address ?? '')
    expect(new Set(addresses).size).toBe(services.length)
    for (const address of addresses) {
      expect(isIPv4(address)).toBe(true)
      expect(address.startsWith(subnet.slice(0, -'0/24'.length))).toBe(true)
    }
  })

  test.for(services)('%s: files, build and settings exist', ([, service]) => {
    for (const { file, at, mode } of volumesOf(service)) {
      expect([file, existsSync(file), at.startsWith('/'), mode]).toEqual([file, true, true, 'ro'])
    }
    if (service.build !== undefined) {
      const context = resolve(dirname(composeFile), service.build.context)
      expect(existsSync(join(context, 'package.json'))).toBe(true)
      expect(existsSync(join(context, service.build.dockerfile))).toBe(true)
      for (const name of Object.keys(service.build.args ?? {})) expect(dockerfile).toMatch(new RegExp(`^ARG ${name}\\b`, 'm')) // prettier-ignore
      // Process 1 has to wait for what scripts leave behind.
      expect(service.init).toBe(true)
    }
    for (const name of Object.keys(service.sysctls ?? {})) expect(name).toMatch(/^net\./)
    const commands = [...(service.entrypoint ?? []), ...(service.command ?? [])].join('\n')
    if (/\bip addr\b/.test(commands)) expect(service.cap_add).toEqual(['NET_ADMIN'])
    for (const [, words = ''] of commands.matchAll(/\bipvs-director((?: -\S+)*)/g))
      expect(readCommandLine(words.trim().split(' '))).toMatchObject({ remarks: [] })
  })

  test('the directors have what the real servers answer for, and probe those', async () => {
    const onServers = services.flatMap(([, { command = [] }]) => addressesAdded(command.join('\n')))
    for (const [name, { entrypoint = [], ...service }] of services.filter(([, { build }]) => build !== undefined)) {
      const [file = ''] = volumesOf({ entrypoint, ...service }).map((volume) => volume.file)
      const { config } = await loadConfig(file, { checkers })
      const own = addressesAdded(entrypoint.join('\n'))
      expect(own, name).toHaveLength(1)
      expect(
        config?.virtualServers.map((each) => each.name),
        name,
      ).toEqual([`${own[0]}:80/tcp`])
      expect(onServers, name).toContain(own[0])
      const servers = services.filter(([each]) => each.startsWith('server')).map(([, each]) => each.networks['lan']?.ipv4_address) // prettier-ignore
      expect(
        config?.virtualServers[0]?.realServers.map((server) => server.address),
        name,
      ).toEqual(servers)
    }
  })

  const program = findProgram('docker-compose')
  const works = program !== undefined && spawnSync(program, ['version'], { env: toolEnvironment() }).status === 0
  test.skipIf(!works)('docker-compose understands it as we do (skipped without docker-compose)', () => {
    const { status, stdout, stderr } = spawnSync(program ?? '', ['-f', composeFile, 'config'], {
      encoding: 'utf8',
      env: toolEnvironment(),
    })
    expect([status, stderr]).toEqual([0, ''])
    const theirs = parse(stdout) as ReturnType<typeof readCompose>
    expect(Object.keys(theirs.services).sort()).toEqual(services.map(([name]) => name).sort())
    for (const [name, ours] of services) {
      const { entrypoint, hostname, cap_add, init } = theirs.services[name] ?? {}
      expect({ entrypoint, hostname, cap_add, init }, name).toEqual({
        entrypoint: ours.entrypoint,
        hostname: ours.hostname,
        cap_add: ours.cap_add,
        init: ours.init,
      })
    }
  })
})

describe('the Dockerfile', () => {
  test('copies and builds what there is', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, words = '']) => words.split(' '))
    expect(copied).toContain('packages')
    for (const name of copied.filter((each) => !each.includes('*'))) expect([name, existsSync(join(root, name))]).toEqual([name, true]) // prettier-ignore
    const bundles = /scripts\/build\.mjs (.*)$/m.exec(dockerfile)?.[1]?.split(' ') ?? []
    const known = readFileSync(join(root, 'scripts/build.mjs'), 'utf8')
    expect(bundles).toContain('prober')
    for (const name of bundles) expect(known).toMatch(new RegExp(`^ {2}'?${name}'?: 'packages/`, 'm'))
  })

  test('starts the director as it understands it', () => {
    const words = (keyword: string): string[] =>
      JSON.parse(new RegExp(`^${keyword} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? '[]') as string[]
    expect(words('ENTRYPOINT').slice(0, 3)).toEqual(['tini', '--', 'ipvs-director'])
    expect(readCommandLine([...words('ENTRYPOINT').slice(3), ...words('CMD')])).toMatchObject({ remarks: [] })
  })
})

/** The addresses that a command adds by `ip addr add`. */
const addressesAdded = (command: string): string[] =>
  [...command.matchAll(/\bip addr add ([\d.]+)\/32/g)].map(([, address = '']) => address)
