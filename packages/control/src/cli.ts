import { unreachable } from '@ipvs-director/core'
import { controlClient } from './client.ts'
import { screenOf, type CommandContext } from './commands/context.ts'
import { ControlError } from './control-error.ts'
import { exitStatus, type ExitStatus } from './exit-status.ts'
import type { Answered, Invocation } from './invocation.ts'
import { defaultSocketPath } from './socket-path.ts'
import { printable } from './text.ts'
import type { CtlTools } from './tools.ts'

/**
 * Runs `ipvs-ctl` with the words after its name. Resolves with the exit status when everything is written; set
 * `process.exitCode` from it rather than calling `process.exit`, so that a pipe gets all of it:
 *
 * | status | meaning |
 * |---|---|
 * | 0 | done |
 * | 1 | refused: a faulty file, a reload not accepted, an unknown service |
 * | 2 | wrong usage |
 * | 3 | no director is running |
 * | 4 | permission denied |
 * | 5 | the director did not answer in time, or not as it should |
 * | 6 | only with `--exit-code`: something is not as it should be |
 */
export async function runCtl(argv: readonly string[], tools: CtlTools): Promise<ExitStatus> {
  const invocation = await understand(argv, tools)
  if ('output' in invocation) {
    ;(invocation.ok ? tools.stdout : tools.stderr).write(invocation.output)
    return invocation.ok ? exitStatus.ok : exitStatus.usage
  }
  const path = invocation.socket ?? tools.env['IPVS_DIRECTOR_SOCKET'] ?? defaultSocketPath
  const client = controlClient({ path, signal: tools.interrupted })
  try {
    return await run(invocation, { tools, client })
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    if (tools.interrupted.aborted) return exitStatus.ok
    return complain(error, tools)
  }
}

/** The commonest command lines need no parser: its loading takes longer than the whole answer. */
async function understand(argv: readonly string[], tools: CtlTools): Promise<Invocation | Answered> {
  const [command, service] = argv
  if (command === 'status' && argv.length <= 2 && service?.startsWith('-') !== true) {
    return { command, service, json: false, watch: undefined, exitCode: false, socket: undefined }
  }
  if (command === 'names' && argv.length === 1) return { command, socket: undefined }
  const { parseCommandLine } = await import('./command-line.ts')
  const { width } = screenOf(tools.stdout, tools.env)
  return parseCommandLine(argv, { version: tools.version, columns: width })
}

/** Each command is loaded when it is asked for. */
async function run(invocation: Invocation, context: CommandContext): Promise<ExitStatus> {
  switch (invocation.command) {
    case 'status':
      return (await import('./commands/status.ts')).runStatus(context, invocation)
    case 'servers':
      return (await import('./commands/lists.ts')).runServers(context, invocation)
    case 'checks':
      return (await import('./commands/lists.ts')).runChecks(context, invocation)
    case 'watch':
      return (await import('./commands/watch.ts')).runWatch(context, invocation)
    case 'explain':
      return explain(context, invocation)
    case 'check':
      return (await import('./commands/check.ts')).runCheck(context, invocation)
    case 'config':
      return (await import('./commands/convert.ts')).runConfig(context, invocation)
    case 'convert':
      return (await import('./commands/convert.ts')).runConvert(context, invocation)
    case 'fmt':
      return (await import('./commands/fmt.ts')).runFmt(context, invocation)
    case 'doctor':
      return (await import('./commands/doctor.ts')).runDoctor(context, invocation)
    case 'reload':
      return (await import('./commands/reload.ts')).runReload(context, invocation)
    case 'plan':
      return (await import('./commands/plan.ts')).runPlan(context, invocation)
    case 'confirm':
      return (await import('./commands/plan.ts')).runConfirm(context, invocation)
    case 'steer':
      return (await import('./commands/steer.ts')).runSteer(context, invocation)
    case 'add-service':
      return (await import('./commands/add-service.ts')).runAddService(context, invocation)
    case 'vrrp':
      return (await import('./commands/vrrp.ts')).runVrrp(context, invocation)
    case 'probers':
      return (await import('./commands/probers.ts')).runProbers(context, invocation)
    case 'drift':
      return (await import('./commands/drift.ts')).runDrift(context, invocation)
    case 'events':
      return (await import('./commands/events.ts')).runEvents(context, invocation)
    case 'stop':
      return (await import('./commands/stop.ts')).runStop(context, invocation)
    case 'version':
      return (await import('./commands/version.ts')).runVersion(context, invocation)
    case 'names':
      return (await import('./commands/completion.ts')).runNames(context)
    case 'completion':
      return (await import('./commands/completion.ts')).runCompletion(context, invocation.shell)
    default:
      return unreachable(invocation)
  }
}

/** The code of a remark, or the name of a server. */
async function explain(
  context: CommandContext,
  invocation: Extract<Invocation, { command: 'explain' }>,
): Promise<ExitStatus> {
  const codes = await import('./commands/explain-code.ts')
  if (codes.isCode(invocation.what)) return codes.runExplainCode(context, invocation)
  return (await import('./commands/explain.ts')).runExplain(context, invocation)
}

function complain(error: ControlError, tools: CtlTools): ExitStatus {
  const { paint } = screenOf(tools.stderr, tools.env)
  const hint = error.suggestions.length > 0 ? `; did you mean ${error.suggestions.join(' or ')}?` : ''
  tools.stderr.write(`${paint('bad', printable(`ipvs-ctl: ${error.message}${hint}`))}\n`)
  switch (error.kind) {
    case 'absent':
      return exitStatus.absent
    case 'denied':
      return exitStatus.denied
    case 'refused':
      return exitStatus.refused
    case 'timeout':
    case 'broken':
      return exitStatus.broken
    default:
      return unreachable(error.kind)
  }
}
