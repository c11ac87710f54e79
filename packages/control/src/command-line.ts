import yargs, { type Argv } from 'yargs'
import { addServiceOptions, addServiceWords } from './add-service-command.ts'
import { exitStatusTexts } from './exit-status.ts'
import { realServerMethods } from './doctor-tools.ts'
import { explainMisuse } from './misuse.ts'
import type { VrrpCommand } from './model.ts'
import { shells, type Answered, type Invocation } from './invocation.ts'
import { defaultSocketPath } from './socket-path.ts'
import { readDuration, steerCommands } from './steer-commands.ts'

/** Seconds between two pictures where `--watch` names none. */
const usualPace = 2

/** An option that is given twice counts as it was given last. */
const parsing = {
  'camel-case-expansion': false,
  'duplicate-arguments-array': false,
  'boolean-negation': false,
} as const

const examples = [
  ['$0 status', 'everything: virtual servers, real servers, reasons'],
  ['$0 status 192.0.2.1:80/tcp --watch', 'one service, redrawn every 2 seconds'],
  ['$0 status --json --exit-code', 'for scripts: JSON, and 6 when something is wrong'],
  ['$0 check keepalived.conf', 'what the director would say about a file'],
  ['$0 events --follow', 'what happens, as it happens'],
] as const

/**
 * Reads the words after the program's name. `columns`: width for help. This module is the only one that loads yargs
 * (40 ms), and is itself loaded only where there is something to parse.
 */
export async function parseCommandLine(
  argv: readonly string[],
  { version, columns }: { readonly version: string; readonly columns: number },
): Promise<Invocation | Answered> {
  let chosen: Invocation | undefined
  const parser = declareCommands((invocation) => (chosen = invocation))
    .scriptName('ipvs-ctl')
    .version('version', 'Print the version of this program', version)
    .alias('version', 'V')
    .help()
    .alias('help', 'h')
    .option('socket', {
      type: 'string',
      requiresArg: true,
      global: true,
      describe: `The director's control socket (else $IPVS_DIRECTOR_SOCKET, ${defaultSocketPath})`,
    })
    .demandCommand(1, 'no command given')
    .strict()
    .parserConfiguration(parsing)
    .wrap(Math.min(columns, 100))
    .epilogue(epilogue())
    .exitProcess(false)
    .showHelpOnFail(false)
  for (const [command, doc] of examples) parser.example(command, doc)
  let outcome: Answered | undefined
  await parser.parse(spellOut(argv), {}, (error, _, output) => {
    if (error) outcome = { output: explainMisuse(error.message, argv), ok: false }
    else if (output !== '') outcome = { output: `${output}\n`, ok: true }
  })
  return outcome ?? chosen ?? { output: explainMisuse('', argv), ok: false }
}

function declareCommands(choose: (invocation: Invocation) => void): Argv {
  return yargs()
    .usage('$0 COMMAND\n\nLooks at and steers a running ipvs-director.')
    .locale('en')
    .command(
      'status [service]',
      'Virtual servers and their real servers: state, reason, weights, connections',
      (y) =>
        withJson(service(y))
          .option('watch', { alias: 'w', type: 'number', describe: `Redraw every SECONDS (${usualPace}); q quits` })
          .check(({ watch }) => pace(watch))
          .option('exit-code', {
            type: 'boolean',
            default: false,
            describe: 'End with 6 when anything is not as it should be',
          }),
      (a) => {
        const { service: name, json, watch, socket } = a
        choose({ command: 'status', service: name, json, watch, exitCode: a['exit-code'], socket: text(socket) })
      },
    )
    .command(
      'servers [service]',
      'All real servers in one list',
      (y) => list(y),
      (a) => {
        choose({ command: 'servers', service: a.service, json: a.json, down: a.down, socket: text(a['socket']) })
      },
    )
    .command(
      'checks [service]',
      'All checks: what each last said, and when it is due',
      (y) => list(y),
      (a) => {
        choose({ command: 'checks', service: a.service, json: a.json, down: a.down, socket: text(a['socket']) })
      },
    )
    .command(
      'watch [service]',
      'A live screen: services and servers, their rates and latency, what happens; keys to drain and enable',
      (y) =>
        service(y)
          .option('every', {
            type: 'number',
            default: usualPace,
            requiresArg: true,
            describe: 'Seconds between two pictures',
          })
          .check(({ every }) => pace(every)),
      (a) => {
        choose({ command: 'watch', service: a.service, every: a.every, socket: text(a['socket']) })
      },
    )
    .command(
      'explain <what>',
      'Why a real server or virtual server is as it is; what the code of a remark means',
      (y) =>
        withJson(y).positional('what', {
          type: 'string',
          demandOption: true,
          describe: 'Its name, or the beginning of it; or a code such as W043',
        }),
      (a) => {
        choose({ command: 'explain', what: a.what, json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      'check [file]',
      'Read a configuration file as the director would; needs no director',
      (y) =>
        withId(withJson(file(y))).option('strict', {
          type: 'boolean',
          default: false,
          describe: 'Warnings are errors',
        }),
      (a) => {
        const { file: name, json, strict } = a
        choose({ command: 'check', file: name, json, strict, configId: a['config-id'], socket: text(a['socket']) })
      },
    )
    .command(
      'config [file]',
      'Print what a configuration says as a minimal keepalived.conf, without its secrets',
      (y) => withId(withJson(file(y), 'As JSON')),
      (a) => {
        choose({ command: 'config', file: a.file, json: a.json, configId: a['config-id'], socket: text(a['socket']) })
      },
    )
    .command(
      'convert <file>',
      'Print a keepalived.conf as JSON, or JSON as keepalived.conf',
      (y) =>
        withId(y)
          .positional('file', { type: 'string', demandOption: true, describe: 'keepalived.conf or JSON' })
          .option('to', { choices: ['json', 'conf'] as const, requiresArg: true, describe: 'The spelling wanted' }),
      (a) => {
        choose({ command: 'convert', file: a.file, to: a.to, configId: a['config-id'], socket: text(a['socket']) })
      },
    )
    .command(
      'fmt [files..]',
      'Lay out a keepalived.conf: indentation, one statement a line; comments stay',
      (y) =>
        y
          // Else the last file would be the only one.
          .parserConfiguration({ ...parsing, 'duplicate-arguments-array': true })
          .positional('files', { type: 'string', array: true, describe: 'Files; standard input where there are none' })
          .option('write', { alias: 'w', type: 'boolean', default: false, describe: 'Change the files themselves' })
          .option('check', {
            type: 'boolean',
            default: false,
            describe: 'Only name the files that would change, and end with 1 if any',
          }),
      (a) => {
        choose({ command: 'fmt', files: a.files ?? [], write: a.write, check: a.check, socket: text(a['socket']) })
      },
    )
    .command(
      'doctor [file]',
      'Whether this machine is fit to be a director, or a real server; needs no director',
      (y) =>
        withId(withJson(file(y)))
          .option('all', { type: 'boolean', default: false, describe: 'Show what is fine, too' })
          .option('real-server', { type: 'boolean', default: false, describe: 'This machine is a real server' })
          .option('vip', {
            type: 'string',
            requiresArg: true,
            describe: 'With --real-server: the virtual addresses it answers for, by commas',
          })
          .option('method', {
            choices: realServerMethods,
            default: 'dr' as const,
            requiresArg: true,
            describe: 'With --real-server: how the director forwards to it',
          })
          .option('fix', { type: 'boolean', default: false, describe: 'With --real-server: mend what can be mended' })
          .check((a) => {
            if (a['real-server'] && a.vip === undefined) throw new Error('--real-server needs --vip ADDRESS')
            if (!a['real-server'] && a.vip !== undefined) throw new Error('--vip goes with --real-server')
            if (!a['real-server'] && a.fix) throw new Error('--fix goes with --real-server')
            return true
          }),
      (a) => {
        const { file: name, json, all, fix, method, vip } = a
        const vips = vip?.split(',') ?? []
        const shared = { file: name, json, all, fix, method, vips, realServer: a['real-server'] }
        choose({ command: 'doctor', ...shared, configId: a['config-id'], socket: text(a['socket']) })
      },
    )
    .command(
      // Read elsewhere: its options are keepalived's.
      'genhash',
      'The MD5 of a page, for digest in HTTP_GET and SSL_GET: -s ADDRESS -p PORT -u PATH; needs no director',
      (y) => y,
      () => undefined,
    )
    .command(
      'reload',
      'Make the director read its configuration again',
      (y) =>
        withJson(y).option('confirm', {
          type: 'string',
          requiresArg: true,
          coerce: readDuration,
          describe: 'On trial: rolled back unless confirmed within that time (60s, 5min)',
        }),
      (a) => {
        choose({ command: 'reload', json: a.json, confirm: a.confirm, socket: text(a['socket']) })
      },
    )
    .command(
      'confirm',
      'Keep what was reloaded with --confirm',
      (y) => withJson(y),
      (a) => {
        choose({ command: 'confirm', json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      'plan [file]',
      'What a reload would change; nothing is touched',
      (y) => withJson(y).positional('file', { type: 'string', describe: 'Another file than that of the director' }),
      (a) => {
        choose({ command: 'plan', file: a.file, json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      steerCommands((request, { json, wait, socket }) => {
        choose({ command: 'steer', request, json, wait, socket: text(socket) })
      }),
    )
    .command(
      'add-service [service] [servers..]',
      'A further virtual server, until the next reset',
      // Else the last real server would be the only one.
      (y) => addServiceWords(y.parserConfiguration({ ...parsing, 'duplicate-arguments-array': true })),
      (a) => {
        choose({ command: 'add-service', ...addServiceOptions(a), socket: text(a['socket']) })
      },
    )
    .command(
      'vrrp [action] [instance]',
      'VRRP instances; `vrrp move|hold|release NAME` switches over by hand',
      (y) =>
        withJson(y)
          .positional('action', { type: 'string', describe: 'move, hold or release; or an instance to look at' })
          .positional('instance', { type: 'string', describe: 'What to switch over' })
          .check(({ action, instance }) => checkVrrpWords(action, instance)),
      (a) => {
        const words = vrrpWords(a.action, a.instance)
        choose({ command: 'vrrp', ...words, json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      'probers [action] [prober]',
      'The processes that probe, and what they need; `probers restart NAME` starts one anew',
      (y) =>
        withJson(y)
          .positional('action', { choices: ['restart'] as const, describe: 'What to do; else look at them' })
          .positional('prober', { type: 'string', describe: 'Its name or number' })
          .check(({ action, prober }) => {
            if (action !== undefined && prober === undefined) throw new Error('probers restart needs the name of one')
            return true
          }),
      (a) => {
        choose({ command: 'probers', restart: a.prober, json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      'drift',
      "Where the kernel's table was not as wanted, and what others have in it",
      (y) =>
        withJson(y)
          .option('now', { type: 'boolean', default: false, describe: 'Audit (and repair) now' })
          .option('exit-code', { type: 'boolean', default: false, describe: 'End with 6 when something was found' }),
      (a) => {
        choose({ command: 'drift', json: a.json, now: a.now, exitCode: a['exit-code'], socket: text(a['socket']) })
      },
    )
    .command(
      'events',
      'What happened',
      (y) =>
        withJson(y, 'One JSON object per line')
          .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'Go on with what happens' })
          .option('after', {
            type: 'number',
            default: 0,
            requiresArg: true,
            describe: 'Only those with a greater sequence',
          })
          .check(({ after }) => {
            if (!Number.isSafeInteger(after) || after < 0) throw new Error('--after takes the sequence of an event')
            return true
          }),
      (a) => {
        choose({ command: 'events', follow: a.follow, json: a.json, after: a.after, socket: text(a['socket']) })
      },
    )
    .command(
      'stop',
      'End the director and remove its services from the kernel',
      (y) =>
        withJson(y).option('keep', {
          type: 'boolean',
          default: false,
          describe: "Leave the kernel's table: traffic goes on",
        }),
      (a) => {
        choose({ command: 'stop', keep: a.keep, json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      'version',
      'Versions of this program and of the director',
      (y) => withJson(y),
      (a) => {
        choose({ command: 'version', json: a.json, socket: text(a['socket']) })
      },
    )
    .command(
      'completion [shell]',
      'Print a completion script: source <(ipvs-ctl completion bash)',
      (y) => y.positional('shell', { choices: shells, default: 'bash' as const, describe: 'The shell' }),
      (a) => {
        choose({ command: 'completion', shell: a.shell, socket: text(a['socket']) })
      },
    )
}

function withJson<T>(y: Argv<T>, describe = 'For programs: JSON'): Argv<T & { json: boolean }> {
  return y.option('json', { type: 'boolean', default: false, describe })
}

function service<T>(y: Argv<T>): Argv<T & { service: string | undefined }> {
  return y.positional('service', {
    type: 'string',
    describe: 'A virtual server: 192.0.2.1:80/tcp, "fwmark 7/inet", a group',
  })
}

function file<T>(y: Argv<T>): Argv<T & { file: string | undefined }> {
  return y.positional('file', {
    type: 'string',
    describe: "keepalived.conf or JSON (else the director's, else the usual one)",
  })
}

function withId<T>(y: Argv<T>): Argv<T & { 'config-id': string | undefined }> {
  return y.option('config-id', {
    alias: 'i',
    type: 'string',
    requiresArg: true,
    describe: 'What @ID lines compare with (else the host name up to its first dot)',
  })
}

function list<T>(y: Argv<T>): Argv<T & { service: string | undefined } & { json: boolean } & { down: boolean }> {
  return withJson(service(y)).option('down', { type: 'boolean', default: false, describe: 'Only what is not up' })
}

/** `[INSTANCE]`, or `move|hold|release INSTANCE`. */
function vrrpWords(
  first: string | undefined,
  second: string | undefined,
): { action: VrrpCommand | undefined; instance: string | undefined } {
  const action = vrrpCommands.find((command) => command === first)
  return { action, instance: action === undefined ? first : second }
}

function checkVrrpWords(first: string | undefined, second: string | undefined): true {
  const { action, instance } = vrrpWords(first, second)
  if (action === undefined && second !== undefined) throw new Error(`${first ?? ''}: wanted move, hold or release`)
  if (action !== undefined && instance === undefined) throw new Error(`${action} takes the name of an instance`)
  return true
}

const vrrpCommands = ['move', 'hold', 'release'] as const satisfies readonly VrrpCommand[]

function pace(seconds: number | undefined): true {
  if (seconds !== undefined && !(seconds >= 0.1 && seconds <= 86_400)) {
    throw new Error('the pace is a number of seconds, from 0.1 to 86400')
  }
  return true
}

/** Options declared for all commands are not in the type of a command's arguments. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** `--watch` may stand without a number, before a name too: it is given the usual one. To fmt `-w` is another thing. */
function spellOut(argv: readonly string[]): string[] {
  if (argv.find((word) => !word.startsWith('-')) === 'fmt') return [...argv]
  return argv.flatMap((word, i) => {
    if (word !== '--watch' && word !== '-w') return [word]
    return /^\d+(?:\.\d+)?$/.test(argv[i + 1] ?? '') ? [word] : [`--watch=${usualPace}`]
  })
}

function epilogue(): string {
  const lines = exitStatusTexts.map(([status, meaning]) => `  ${status}  ${meaning}`)
  return `Exit status:\n${lines.join('\n')}`
}
