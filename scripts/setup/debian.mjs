import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { root } from './root.mjs'
import { run, succeeds } from './run.mjs'
import { unpacked, writeTools } from './tools.mjs'
import { isCompiler, missing, smallCompiler } from './wants.mjs'

/** @typedef {import('./progress.mjs').Progress} Progress */

/** A mirror that cannot be reached is to be told soon. */
const patience = ['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::https::Timeout=20', '-o', 'Acquire::Retries=1']

/** Installs or unpacks the Debian packages whose programs are missing; tells what stays missing and what that means. */
export async function setUpDebian(/** @type {Progress} */ progress) {
  const wants = missing()
  if (wants.length === 0) return
  if (!(await succeeds(['apt-get', '--version']))) {
    progress.say('this is no Debian (there is no apt-get), so these have to be installed by hand:')
  } else {
    try {
      if (process.getuid?.() === 0)
        await install(
          progress,
          wants.flatMap((want) => want.packages),
        )
      else
        await unpack(
          progress,
          wants.flatMap((want) => (isCompiler(want) ? smallCompiler : want.packages)),
        )
    } catch (error) {
      progress.say(`not all Debian packages could be had. ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const { program, packages, neededFor } of missing()) {
    progress.say(`missing: ${program} (Debian: ${packages.join(', ')}), which is needed for ${neededFor}`)
  }
}

/** Installs as root. Whatever services the packages bring are neither started nor left to start at the next boot. */
async function install(/** @type {Progress} */ progress, /** @type {string[]} */ packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const services = servicesOf(packages)
  const apt = ['apt-get', '-y', '-q', ...patience, '-o', 'APT::Status-Fd=3', '-o', 'DPkg::Lock::Timeout=120']
  await progress.step('Debian’s list of packages (apt-get update)', (report) =>
    run([...apt, 'update'], { env, status: percentage(report) }).catch(() => report('not reached')),
  )
  await progress.step(`Debian packages: ${packages.join(', ')} (apt-get install)`, async (report) => {
    const release = keepServicesDown()
    try {
      await run([...apt, 'install', '--no-install-recommends', ...packages], { env, status: percentage(report) })
    } finally {
      release()
    }
    for (const name of services) if (existsSync(`/etc/init.d/${name}`)) await disable(name)
  })
}

/** The packages whose service's name is their program's. */
const servicesOf = (/** @type {string[]} */ packages) =>
  [
    ['nginx-light', 'nginx'],
    ['keepalived', 'keepalived'],
    ['ipvsadm', 'ipvsadm'],
    ['stunnel4', 'stunnel4'],
    ['bind9', 'named'],
    ['unbound', 'unbound'],
    ['opensmtpd', 'opensmtpd'],
    ['frr', 'frr'],
    ['snmpd', 'snmpd'],
    ['snmptrapd', 'snmptrapd'],
    ['rsyslog', 'rsyslog'],
    ['prometheus', 'prometheus'],
  ].flatMap(([name = '', service = '']) => (packages.includes(name) ? [service] : []))

const disable = async (/** @type {string} */ service) =>
  (await succeeds(['systemctl', 'disable', '--quiet', service])) ||
  (await succeeds(['update-rc.d', service, 'disable']))

/**
 * Debian asks /usr/sbin/policy-rc.d before a package starts its service; 101 is no. One that is there already belongs to
 * somebody (a container image) and stays.
 */
function keepServicesDown() {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => undefined
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const remove = () => {
    rmSync(policy, { force: true })
  }
  process.once('exit', remove)
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => process.exit(1))
  return remove
}

/** apt's status lines: `dlstatus:3:41.2:Retrieving file 3 of 9`, `pmstatus:curl:60:Unpacking curl`. */
const percentage = (/** @type {(how: string) => void} */ report) => (/** @type {string} */ line) => {
  const [kind, , percent] = line.split(':')
  const doing = kind === 'dlstatus' ? 'downloading' : kind === 'pmstatus' ? 'installing' : undefined
  if (doing !== undefined) report(`${doing} ${Math.round(Number(percent))} %`)
}

/** Without root: apt's own lists and archives in a folder of ours, each package unpacked beside the others. */
async function unpack(/** @type {Progress} */ progress, /** @type {string[]} */ packages) {
  const state = join(root, '.cache/apt')
  const archives = join(state, 'archives')
  for (const folder of [join(state, 'lists/partial'), join(archives, 'partial'), unpacked]) {
    mkdirSync(folder, { recursive: true })
  }
  const options = [
    '-q',
    '-o',
    `Dir::State::lists=${state}/lists`,
    '-o',
    `Dir::Cache=${state}`,
    '-o',
    'Debug::NoLocking=1',
  ]
  const apt = ['apt-get', ...options, ...patience, '-o', 'APT::Status-Fd=3']
  await progress.step('Debian’s list of packages, into .cache/ (we are not root)', (report) =>
    run([...apt, 'update'], { status: percentage(report) }),
  )
  await progress.step(`Debian packages, unpacked into .cache/: ${packages.join(', ')}`, async (report) => {
    const installable = packages.filter((name) => !smallCompiler.includes(name))
    const plan = await run([...apt, 'install', '-s', '--no-install-recommends', ...installable])
    // `Inst name [1.0] (1.1 …)` would bring a newer version of what is installed: a second libc would break everything
    const fresh = [...plan.matchAll(/^Inst (\S+) \(/gm)].map(([, name = '']) => name)
    const names = new Set([...fresh, ...packages.filter((name) => smallCompiler.includes(name))])
    if (names.size === 0) return
    await run([...apt, 'download', ...names], { cwd: archives, status: percentage(report) })
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      report(`unpacking ${file.split('_')[0]}`)
      await run(['dpkg', '-x', join(archives, file), unpacked])
      rmSync(join(archives, file))
    }
  })
  mendLinks(unpacked)
  writeTools()
}

/** Links to absolute paths (sbin/modprobe to /bin/kmod) point out of the folder; those that can point into it do. */
function mendLinks(/** @type {string} */ folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) mendLinks(path)
    if (!entry.isSymbolicLink()) continue
    const target = readlinkSync(path)
    if (!isAbsolute(target) || !existsSync(join(unpacked, target))) continue
    rmSync(path)
    symlinkSync(relative(folder, join(unpacked, target)), path)
  }
}
