/** What others rely on: the exported names, each told of in the README, in a package that works alone. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as api from './index.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the names that version 1 has', () => {
  expect(Object.keys(api).sort()).toEqual([
    'KernelError',
    'address',
    'defaultDestination',
    'defaultService',
    'destinationId',
    'diff',
    'diffSteps',
    'isMark',
    'memoryIpvs',
    'openIpvs',
    'openProcText',
    'parseAddress',
    'parseText',
    'sameDestination',
    'sameService',
    'serviceFamily',
    'serviceId',
    'serviceOf',
    'tableOf',
    'tunnelOf',
  ])
})

test.each([...Object.keys(api), ...Object.keys(api.memoryIpvs())])('the README tells of %s', (name) => {
  expect(readme).toMatch(new RegExp(`\`[^\`\\n]*\\b${name}\\b`))
})

/** In a folder that has nothing but the three packages. */
const program = `
import { address, diff, memoryIpvs, openIpvs, serviceOf, tableOf } from 'ipvs-netlink'
const web = serviceOf({ protocol: 'tcp', address: address('192.0.2.1'), port: 80 }, {}, [{ address: address('10.0.0.2'), port: 80 }])
const ipvs = memoryIpvs()
await ipvs.execute(diff(await ipvs.table(), tableOf([web])))
// Whether or not this machine has IPVS and lets us: the native file was found.
const kernel = await openIpvs().then((client) => (client.close(), 'opened'), (error) => error.message)
console.log(JSON.stringify({ ids: [...(await ipvs.table()).keys()], kernel }))
`

test('packed, and installed into an empty folder, it works alone', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ipvs-netlink-'))
  try {
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'packages/ipvs')])
    const packages = ['core', 'linux', 'ipvs'].map((name) => join(root, 'packages', name))
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder, ...packages], { cwd: folder })
    const archives = readdirSync(folder).map((name) => join(folder, name))
    expect(archives).toHaveLength(3)
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...archives], { cwd: folder })
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      '@ipvs-director',
      'ipvs-netlink',
    ])
    expect(existsSync(join(folder, 'node_modules/ipvs-netlink/dist/index.d.ts'))).toBe(true)
    writeFileSync(join(folder, 'program.js'), program)
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder })
    const { ids, kernel } = JSON.parse(stdout) as { ids: string[]; kernel: string }
    expect(ids).toEqual(['192.0.2.1:80/tcp'])
    expect(kernel).not.toContain('addon')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
