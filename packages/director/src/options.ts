import { parseArgs } from 'node:util'

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
  /** `-D`, twice for more. */
  readonly detail: number
  readonly pidFile: string | undefined
  /** `-I`: leave the kernel's table as it is at the end. */
  readonly keepIpvs: boolean
  readonly socket: string
  /** Group that may use the control socket; undefined: that of the process. */
  readonly socketGroup: string | undefined
  readonly stateDirectory: string
  /** Keep the table in memory instead of the kernel: to look around, or where there is no IPVS. */
  readonly memoryIpvs: boolean
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
  'dont-fork': { ...flag, short: 'n' },
  'dont-release-ipvs': { ...flag, short: 'I' },
  pid: { ...text, short: 'p' },
  version: { ...flag, short: 'v' },
  help: { ...flag, short: 'h' },
  socket: text,
  'socket-group': text,
  'state-dir': text,
  'memory-ipvs': flag,
  strict: flag,
  probers: text,
  // keepalived's, without effect so far
  check: { ...flag, short: 'C' },
  vrrp: { ...flag, short: 'P' },
  no_bfd: { ...flag, short: 'B' },
  all: flag,
  'log-facility': { ...text, short: 'S' },
  'log-file': { ...text, short: 'g' },
  'flush-log-file': flag,
  'no-syslog': { ...flag, short: 'G' },
  umask: { ...text, short: 'u' },
  'release-vips': { ...flag, short: 'X' },
  'dont-release-vrrp': { ...flag, short: 'V' },
  'dont-respawn': { ...flag, short: 'R' },
  'dump-conf': { ...flag, short: 'd' },
  vrrp_pid: { ...text, short: 'r' },
  checkers_pid: { ...text, short: 'c' },
  bfd_pid: { ...text, short: 'b' },
  'address-monitoring': { ...flag, short: 'a' },
  namespace: { ...text, short: 's' },
  'all-config': { ...flag, short: 'e' },
  snmp: { ...flag, short: 'x' },
  'snmp-agent-socket': { ...text, short: 'A' },
  'core-dump': { ...flag, short: 'm' },
  'core-dump-pattern': { ...flag, short: 'M' },
  'ignore-sigint': flag,
} as const

/** Options of keepalived that are understood and do nothing yet; each use is said once at the start. */
const withoutEffect = [
  'vrrp',
  'log-facility',
  'log-file',
  'umask',
  'release-vips',
  'dont-release-vrrp',
  'dump-conf',
  'vrrp_pid',
  'checkers_pid',
  'bfd_pid',
  'address-monitoring',
  'namespace',
  'all-config',
  'snmp',
  'snmp-agent-socket',
  'core-dump',
  'core-dump-pattern',
] as const

export const defaultConfigFile = '/etc/keepalived/keepalived.conf'
export const defaultSocket = '/run/ipvs-director/control.sock'
export const defaultStateDirectory = '/run/ipvs-director'

/** Reads the arguments after the program's name; throws a {@link UsageError}. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { rest, testFile } = takeTestFile(argv)
  const { values, positionals } = parse(rest)
  if (positionals.length > 0)
    throw new UsageError(`unexpected "${positionals.join(' ')}"; the file is given by -f FILE`)
  const stateDirectory = values['state-dir'] ?? defaultStateDirectory
  return {
    file: values['use-file'] ?? defaultConfigFile,
    configTest: testFile ?? values['config-test'] ?? false,
    configId: values['config-id'],
    strict: values.strict ?? false,
    detail: values['log-detail']?.length ?? 0,
    pidFile: values.pid,
    keepIpvs: values['dont-release-ipvs'] ?? false,
    socket: values.socket ?? (values['state-dir'] === undefined ? defaultSocket : `${stateDirectory}/control.sock`),
    socketGroup: values['socket-group'],
    stateDirectory,
    memoryIpvs: values['memory-ipvs'] ?? false,
    probers: proberCount(values.probers),
    version: values.version ?? false,
    help: values.help ?? false,
    remarks: withoutEffect.filter((name) => values[name] !== undefined).map((name) => `--${name} has no effect yet`),
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
  -n, --dont-fork           stay in the foreground (always so)
  -l, --log-console         log to standard error (always so)
  -D, --log-detail          more detail in the log
  -p, --pid FILE            write the process id
  -I, --dont-release-ipvs   leave the kernel's IPVS table as it is at the end
  -v, --version             print the version
  -h, --help                print this

      --socket PATH         control socket (default ${defaultSocket})
      --socket-group GROUP  who may use it besides root
      --state-dir DIR       run-time state (default ${defaultStateDirectory})
      --probers N           prober processes (default: by cores; 0: none, probe in this process)
      --strict              warnings are errors: what has one is left out, a reload with one is refused
      --memory-ipvs         keep the table in memory, write nothing to the kernel

Signals: HUP reload, TERM and INT stop. \`ipvs-ctl status\` shows what is going on.
`
