import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from './root.mjs'
import { readTools, unpacked } from './tools.mjs'

/**
 * A program that is wanted, or the file of something that is none, the Debian packages that bring it, and what it is needed for.
 * @typedef {{ program: string, file?: string, packages: string[], neededFor: string }} Want
 */

/** @type {Want[]} */
const always = [
  { program: 'ip', packages: ['iproute2'], neededFor: 'the lab' },
  { program: 'modprobe', packages: ['kmod'], neededFor: 'the lab' },
  { program: 'ipvsadm', packages: ['ipvsadm'], neededFor: 'the lab’s tests and benchmarks' },
  { program: 'curl', packages: ['curl'], neededFor: 'the lab’s tests and npm start' },
  { program: 'nginx', packages: ['nginx-light'], neededFor: 'npm start and some of the lab’s tests' },
  { program: 'tcpdump', packages: ['tcpdump'], neededFor: 'some of the lab’s tests' },
  { program: 'openssl', packages: ['openssl'], neededFor: 'the tests of SSL_GET' },
  { program: 'rsyslogd', packages: ['rsyslog'], neededFor: 'the test of syslog' },
  { program: 'apache2', packages: ['apache2-bin'], neededFor: 'tests of HTTP_GET and SSL_GET, the lab’s among them' },
  { program: 'stunnel4', packages: ['stunnel4'], neededFor: 'a test of SSL_GET' },
  { program: 'named', packages: ['bind9'], neededFor: 'a test of DNS_CHECK' },
  { program: 'unbound', packages: ['unbound'], neededFor: 'a test of DNS_CHECK' },
  {
    program: 'python3-grpcio',
    file: '/usr/lib/python3/dist-packages/grpc/__init__.py',
    packages: ['python3-grpcio'],
    neededFor: 'a test of GRPC_CHECK',
  },
  { program: 'bfdd', packages: ['frr'], neededFor: 'a test of BFD_CHECK' },
  { program: 'snmpd', packages: ['snmpd', 'snmp'], neededFor: 'the tests of SNMP' },
  { program: 'snmptrapd', packages: ['snmptrapd'], neededFor: 'the tests of SNMP traps' },
  {
    program: 'mariadbd',
    packages: ['mariadb-server-core', 'mariadb-client-core'],
    neededFor: 'the test of a database behind two directors',
  },
  { program: 'nft', packages: ['nftables'], neededFor: 'the tests of no_accept' },
  { program: 'iptables', packages: ['iptables'], neededFor: 'the tests of vrrp_iptables' },
  { program: 'ipset', packages: ['ipset'], neededFor: 'the tests of vrrp_ipsets' },
  { program: 'promtool', packages: ['prometheus'], neededFor: 'the test of the alert rules' },
  { program: 'docker-compose', packages: ['docker-compose'], neededFor: 'a test of docker/compose.yaml' },
  { program: 'keepalived', packages: ['keepalived'], neededFor: 'the comparisons with keepalived' },
]
/** @type {Want} */
const smtpd = { program: 'smtpd', packages: ['opensmtpd'], neededFor: 'a test of SMTP_CHECK' }
const uml = {
  program: 'linux.uml',
  packages: ['user-mode-linux'],
  neededFor: 'everything that needs a kernel with IPVS',
}

/** @type {Want} */
const compiler = { program: 'cc', packages: ['gcc', 'libc6-dev'], neededFor: 'every access to the kernel' }
const compilers = ['cc', 'gcc', 'clang', 'tcc']

/** What is wanted here and not to be found. */
export function missing() {
  const wants = [...always, ...(wantsSmtpd() ? [smtpd] : []), ...(wantsUml() ? [uml] : [])].filter(
    ({ program, file }) => (file === undefined ? !isThere(program) : ![file, join(unpacked, file)].some(existsSync)),
  )
  return addonIsCurrent() || process.env['CC'] !== undefined || compilers.some(isThere) ? wants : [...wants, compiler]
}

/** A C compiler is unpacked rather than installed: then a small one. */
export const smallCompiler = ['tcc', 'libc6-dev', 'linux-libc-dev']

/** Whether the packages of this want are the compiler's. */
export const isCompiler = (/** @type {Want} */ want) => want === compiler

/** It needs root, and its package takes the place of any other mail server's. */
const wantsSmtpd = () => process.getuid?.() === 0 && !isThere('sendmail')

/** Debian has user-mode Linux for x86 only. Where the host's kernel serves, it is not wanted. */
function wantsUml() {
  return process.arch === 'x64' && !(process.getuid?.() === 0 && kernelHasIpvs() && mayMakeNamespaces())
}

function kernelHasIpvs() {
  if (existsSync('/proc/net/ip_vs')) return true
  const folder = join('/lib/modules', release())
  return ['modules.dep', 'modules.builtin'].some((name) => {
    const file = join(folder, name)
    return existsSync(file) && /\/ip_vs\.ko/.test(readFileSync(file, 'utf8'))
  })
}

const mayMakeNamespaces = () => spawnSync('unshare', ['--net', 'true'], { stdio: 'ignore' }).status === 0

/** By the same rule as packages/linux/native/build.mjs, which cannot be asked before npm ci. */
function addonIsCurrent() {
  const built = modified(join(root, `packages/linux/build/linux-${process.arch}.node`))
  const sources = join(root, 'packages/linux/native')
  return readdirSync(sources).every((name) => {
    if (!/\.[ch]$/.test(name)) return true
    const source = modified(join(sources, name))
    return source === undefined || (built !== undefined && built >= source)
  })
}

const modified = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs

/** The last is where FRR's programs are. */
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/lib/frr']

function isThere(/** @type {string} */ program) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders, ...readTools().path]
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
