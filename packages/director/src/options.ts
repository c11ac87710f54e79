import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { LogFormat } from './log/line.ts'
import { facilityOf, type LogWish } from './log/settings.ts'

/**
 * The command line of `ipvs-director`: keepalived's options with their meaning (reference/operations.md §2), and a few
 * of our own. What has no effect here is accepted and said.
 */
export interface CommandLine {
  readonly file: string
  /** `-t`: check the file and exit; a string is the file the diagnostics go to. */
  readonly configTest: boolean | string
  readonly configId: string | undefined
  /** Warnings are errors. */
  readonly strict: boolean
  /** `-e`: every include must match files that can be read. */
  readonly allIncludes: boolean
  /** `-D`, counted. */
  readonly detail: number
  /** `-D`, `-S`, `-G`, `-g` and our own of the log, as wished; `logSettings` makes what is done of it. */
  readonly log: LogWish
  /** `-d`: the effective configuration goes to the log at the start, without its secrets. */
  readonly dumpConfig: boolean
  /** `-x`: SNMP for virtual servers and VRRP, whatever the file says. */
  readonly snmp: boolean
  /** `-A`: where the SNMP master agent listens; undefined: `snmp_socket`, or its usual place. */
  readonly snmpSocket: string | undefined
  readonly pidFile: string | undefined
  /** `-s`: network namespace to run in, instead of `net_namespace`. */
  readonly namespace: string | undefined
  /** `-u`: file mode mask, instead of `umask`. */
  readonly umask: number | undefined
  /** `-I`: leave the kernel's table as it is at the end. */
  readonly keepIpvs: boolean
  readonly socket: string
  /** Group that may use the control socket; undefined: that of the process. */
  readonly socketGroup: string | undefined
  readonly stateDirectory: string
  /** What was asked for by hand is kept here: it outlives a reboot. */
  readonly overlay: string
  /** False for `-C` alone: only the services. */
  readonly vrrp: boolean
  /** False for `-P` alone: only VRRP. */
  readonly services: boolean
  /** `-V`: leave the VIPs at the end. */
  readonly keepVips: boolean
  /** Keep the table in memory instead of the kernel: to look around, or where there is no IPVS. */
  readonly memoryIpvs: boolean
  /** Write nothing: tell where another program, which does, has decided otherwise. */
  readonly compare: boolean
  /** Prober processes; undefined: by cores. 0: probe in the director's own process. */
  readonly probers: number | undefined
  readonly version: boolean
  readonly help: boolean
  /** Things to say before starting, one per option without effect. */
  readonly remarks: readonly string[]
}

/** A command line that cannot be understood; the message names the option. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

const known = {
  'use-file': { ...text, short: 'f' },
  'config-test': { ...flag, short: 't' },
  'config-id': { ...text, short: 'i' },
  'log-detail': { ...flag, short: 'D', multiple: true },
  'log-console': { ...flag, short: 'l' },
  'log-facility': { ...text, short: 'S' },
  'log-file': { ...text, short: 'g' },
  'flush-log-file': flag,
  'no-syslog': { ...flag, short: 'G' },
  'log-format': text,
  'log-journal': flag,
  'log-storm': text,
  'dump-conf': { ...flag, short: 'd' },
  snmp: { ...flag, short: 'x' },
  'snmp-agent-socket': { ...text, short: 'A' },
  'dont-fork': { ...flag, short: 'n' },
  'dont-release-ipvs': { ...flag, short: 'I' },
  pid: { ...text, short: 'p' },
  version: { ...flag, short: 'v' },
  help: { ...flag, short: 'h' },
  socket: text,
  'socket-group': text,
  'state-dir': text,
  'memory-ipvs': flag,
  compare: flag,
  strict: flag,
  probers: text,
  // keepalived's, without effect so far
  check: { ...flag, short: 'C' },
  vrrp: { ...flag, short: 'P' },
  no_bfd: { ...flag, short: 'B' },
  all: flag,
  umask: { ...text, short: 'u' },
  'release-vips': { ...flag, short: 'X' },
  'dont-release-vrrp': { ...flag, short: 'V' },
  'dont-respawn': { ...flag, short: 'R' },
  vrrp_pid: { ...text, short: 'r' },
  checkers_pid: { ...text, short: 'c' },
  bfd_pid: { ...text, short: 'b' },
  'address-monitoring': { ...flag, short: 'a' },
  namespace: { ...text, short: 's' },
  'all-config': { ...flag, short: 'e' },
  'core-dump': { ...flag, short: 'm' },
  'core-dump-pattern': { ...flag, short: 'M' },
  'ignore-sigint': flag,
} as const

/** Options of keepalived that are understood and do nothing yet; each use is said once at the start. */
const withoutEffect = [
  'release-vips',
  'vrrp_pid',
  'checkers_pid',
  'bfd_pid',
  'address-monitoring',
  'core-dump',
  'core-dump-pattern',
] as const

export const defaultConfigFile = '/etc/keepalived/keepalived.conf'
export const defaultSocket = '/run/ipvs-director/control.sock'
export const defaultStateDirectory = '/run/ipvs-director'
const compareStateDirectory = '/run/ipvs-director-compare'
const defaultOverlayDirectory = '/var/lib/ipvs-director'
export const defaultOverlay = `${defaultOverlayDirectory}/overlay.json`

/** Reads the arguments after the program's name; throws a {@link UsageError}. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { rest, testFile } = takeTestFile(argv)
  const { values, positionals } = parse(rest)
  if (positionals.length > 0)
    throw new UsageError(`unexpected "${positionals.join(' ')}"; the file is given by -f FILE`)
  const compare = values.compare ?? false
  const ownDirectory = values['state-dir'] ?? (compare ? compareStateDirectory : undefined)
  const stateDirectory = ownDirectory ?? defaultStateDirectory
  return {
    file: values['use-file'] ?? defaultConfigFile,
    configTest: testFile ?? values['config-test'] ?? false,
    configId: values['config-id'],
    strict: values.strict ?? false,
    allIncludes: values['all-config'] ?? false,
    detail: values['log-detail']?.length ?? 0,
    log: {
      detail: values['log-detail']?.length ?? 0,
      format: logFormat(values['log-format']),
      facility: facility(values['log-facility']),
      noSyslog: values['no-syslog'] ?? false,
      file: values['log-file'],
      flush: values['flush-log-file'] ?? false,
      console: values['log-console'] ?? false,
      journal: values['log-journal'] ?? false,
      storm: stormLines(values['log-storm']),
    },
    dumpConfig: values['dump-conf'] ?? false,
    snmp: values.snmp ?? false,
    snmpSocket: values['snmp-agent-socket'],
    pidFile: values.pid,
    namespace: values.namespace,
    umask: fileModeMask(values.umask),
    keepIpvs: values['dont-release-ipvs'] ?? false,
    socket: values.socket ?? (ownDirectory === undefined ? defaultSocket : `${stateDirectory}/control.sock`),
    socketGroup: values['socket-group'],
    stateDirectory,
    overlay: join(values['state-dir'] ?? defaultOverlayDirectory, 'overlay.json'),
    vrrp: values.check !== true || values.vrrp === true,
    services: values.vrrp !== true || values.check === true,
    keepVips: values['dont-release-vrrp'] ?? false,
    memoryIpvs: values['memory-ipvs'] ?? false,
    compare,
    probers: proberCount(values.probers),
    version: values.version ?? false,
    help: values.help ?? false,
    remarks: remarksOf(values),
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: known, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error))
  }
}

/** `-t` and `--config-test` may carry a file after `=`, which `parseArgs` knows for text options only. */
function takeTestFile(argv: readonly string[]): { rest: string[]; testFile: string | undefined } {
  let testFile: string | undefined
  const rest = argv.map((word) => {
    const match = /^(?:--config-test=|-t=?(?=[/.]))(.+)$/.exec(word)
    if (match === null) return word
    testFile = match[1]
    return '--config-test'
  })
  return { rest, testFile }
}

/** One sentence per option that does nothing, or not what was meant. */
function remarksOf(values: ReturnType<typeof parse>['values']): string[] {
  const remarks = withoutEffect
    .filter((name) => values[name] !== undefined)
    .map((name) => `--${name} has no effect yet`)
  if (values['no-syslog'] === true && values['log-facility'] !== undefined)
    remarks.push('--log-facility has no effect with --no-syslog')
  if (values['flush-log-file'] === true && values['log-file'] === undefined)
    remarks.push('--flush-log-file has no effect without --log-file')
  return remarks
}

function facility(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const number = facilityOf(word)
  if (number === undefined)
    throw new UsageError(`--log-facility ${word}: wanted 0 to 7, local0 to local7, user or daemon`)
  return number
}

function logFormat(word: string | undefined): LogFormat | undefined {
  if (word === undefined || word === 'text' || word === 'json') return word
  throw new UsageError(`--log-format ${word}: wanted text or json`)
}

function stormLines(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const lines = Number(word)
  if (!/^\d{1,6}$/.test(word)) throw new UsageError(`--log-storm ${word}: wanted a number of lines, 0 for no limit`)
  return lines
}

/** Octal with a leading 0, else decimal, as keepalived takes it. */
function fileModeMask(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const mask = Number.parseInt(word, word.startsWith('0') ? 8 : 10)
  if (!/^(?:0[0-7]*|[1-9]\d*)$/.test(word) || mask > 0o777) throw new UsageError(`--umask ${word}: wanted 0 to 0777`)
  return mask
}

function proberCount(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const count = Number(value)
  if (!Number.isInteger(count) || count < 0 || count > 256) throw new UsageError(`--probers ${value}: wanted 0 to 256`)
  return count
}

export const help = `usage: ipvs-director [-f FILE] [options]

  -f, --use-file FILE       configuration (default ${defaultConfigFile})
  -t, --config-test[=FILE]  check the configuration and exit: 0 fine, 4 cannot run, 5 errors, 6 scripts without
                            enable_script_security
  -i, --config-id ID        name for @ID lines (default: host name up to the first dot)
  -e, --all-config          every include must match files that can be read
  -n, --dont-fork           stay in the foreground (always so)
  -l, --log-console         log to standard error (always so, but where that is systemd's journal)
  -D, --log-detail          more detail in the log
  -S, --log-facility N      log to syslog, too: 0 to 7 (local0 to local7), user or daemon; the journal's facility
  -G, --no-syslog           not to syslog
  -g, --log-file FILE       log to a file, too; one that is moved away is opened anew
      --flush-log-file      each line is on the disk before the next
  -d, --dump-conf           the effective configuration goes to the log at the start
  -x, --snmp                tables for an SNMP master agent (AgentX), also without enable_snmp_… in the file
  -A, --snmp-agent-socket F  where it listens (default /var/agentx/master)
  -p, --pid FILE            write the process id
  -s, --namespace NAME      run in this network namespace
  -u, --umask MASK          permissions that new files do not get (octal with a leading 0)
  -C, --check               only the services, no VRRP
  -P, --vrrp                only VRRP, no services
  -V, --dont-release-vrrp   leave the VIPs at the end, and do not tell the other directors
  -I, --dont-release-ipvs   leave the kernel's IPVS table as it is at the end
  -v, --version             print the version
  -h, --help                print this

      --socket PATH         control socket (default ${defaultSocket})
      --socket-group GROUP  who may use it besides root
      --state-dir DIR       run-time state (default ${defaultStateDirectory})
      --log-format F        text (for people) or json (an object per line); default text
      --log-journal         fields to systemd's journal; default: when standard error is the journal
      --log-storm N         lines of one event in ten seconds, the rest is counted (default 200; 0: all)
      --probers N           prober processes (default: by cores; 0: none, probe in this process)
      --strict              warnings are errors: what has one is left out, a reload with one is refused
      --compare             beside a running keepalived with the same file: probe, write nothing, and tell where this
                            program would decide otherwise; its socket and state are in ${compareStateDirectory}
      --memory-ipvs         keep the table in memory, write nothing to the kernel

Signals: HUP reload, TERM and INT stop. \`ipvs-ctl status\` shows what is going on.
`
