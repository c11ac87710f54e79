import { closest } from '../closest.ts'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { CheckStatus, ServerStatus, Status, SteeringStatus, VirtualServerStatus } from '../model.ts'
import { count, formatDuration } from '@ipvs-director/core'
import { ago, lengthy } from '../quantities.ts'
import { paragraph, type Screen } from '../screen.ts'
import { findVirtualServers } from '../select.ts'
import { checkName, weightDiffers } from '../server-row.ts'
import { quorumText } from '../service-view.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

/** What is said about one thing: a headline, and question-and-answer pairs. */
export interface Explanation {
  readonly about: string
  readonly answers: readonly { readonly question: string; readonly answer: string }[]
}

/** `ipvs-ctl explain WHAT`. Throws a ControlError where nothing has that name. */
export async function runExplain(
  context: CommandContext,
  { what, json }: { readonly what: string; readonly json: boolean },
): Promise<ExitStatus> {
  const explanations = explain(await context.client.status(), what)
  if (json) printAnswer(context, { explanations })
  else printLines(context, explanationLines(explanations, outScreen(context)))
  return exitStatus.ok
}

/** Everything of that name: virtual servers, else real servers wherever they are, else names that begin so. */
export function explain(status: Status, what: string): Explanation[] {
  const services = findVirtualServers(status.virtualServers, what)
  if (services.length > 0) return services.map((service) => explainService(service, status.at))
  const servers = status.virtualServers.flatMap((service) => service.servers.map((server) => ({ service, server })))
  const exact = servers.filter(({ server }) => server.name === what)
  const found = exact.length > 0 ? exact : servers.filter(({ server }) => server.name.startsWith(what))
  if (found.length === 0) {
    const names = [...status.virtualServers, ...servers.map(({ server }) => server)].map(({ name }) => name)
    throw new ControlError('refused', `there is no virtual or real server ${JSON.stringify(what)}`, {
      code: 'no-such-server',
      suggestions: closest(what, [...new Set(names)].slice(0, 20_000)),
    })
  }
  return found.map(({ service, server }) => explainServer(server, service, status.at))
}

export function explanationLines(explanations: readonly Explanation[], screen: Screen): string[] {
  return explanations.flatMap(({ about, answers }, i) => [
    ...(i === 0 ? [] : ['']),
    ...paragraph(screen, printable(about), { tone: 'strong' }),
    ...answers.flatMap(({ question, answer }) => [
      ...paragraph(screen, question, { indent: '  ', tone: 'dim' }),
      ...paragraph(screen, printable(answer), { indent: '    ', rest: '    ' }),
    ]),
  ])
}

function explainServer(server: ServerStatus, service: VirtualServerStatus, now: number): Explanation {
  const since = server.since === undefined ? '' : ` for ${lengthy(now - server.since)}`
  const returning = returnText(server)
  const noticing = server.checks.map(noticeText).filter((text) => text !== undefined)
  return {
    about: `${server.name} of ${service.name}: ${server.state}${since}`,
    answers: [
      { question: 'why', answer: whyText(server, now) },
      { question: 'why this weight', answer: weightText(server, service, now) },
      ...(returning === undefined ? [] : [{ question: 'what would bring it back', answer: returning }]),
      ...(noticing.length === 0
        ? []
        : [{ question: 'how long until a failure is noticed', answer: noticing.join('; ') }]),
    ],
  }
}

function whyText(server: ServerStatus, now: number): string {
  if (server.steering?.force !== undefined) {
    return `it counts as ${server.steering.force} by hand, whatever its checks say, until "ipvs-ctl reset ${server.name}"; they say: ${server.reason}`
  }
  if (server.checks.length === 0) return 'it has no checks: it counts as up always'
  if (server.state === 'unknown') return 'no check has given a verdict yet'
  const checked = server.checkedAt === undefined ? '' : `, ${ago(server.checkedAt, now)}`
  const failing = server.checks.filter((check) => (server.state === 'up' ? check.failures > 0 : check.state !== 'up'))
  return [`${server.reason}${checked}`, ...failing.map((check) => failureText(check, server.reason))].join('; ')
}

/** Its own reason only where it is another than was said already. */
function failureText(check: CheckStatus, said: string): string {
  if (check.class === 'local') return `${checkName(check)} cannot look, which is not counted: ${check.reason}`
  const own = check.reason === said || check.reason === '' ? '' : `: ${check.reason}`
  const forgiven = check.state === 'up' ? `, ${check.failures} in a row where ${check.retry} are forgiven` : ''
  return `${checkName(check)} failed ${check.failed} of ${count(check.probes, 'probe')}${forgiven}${own}`
}

function weightText(server: ServerStatus, service: VirtualServerStatus, now: number): string {
  const kernel =
    server.kernelAt === undefined
      ? 'the kernel was not asked yet'
      : weightDiffers(server)
        ? `but the kernel has ${server.kernelWeight === undefined ? 'no entry' : `weight ${server.kernelWeight}`}: the next audit repairs it, or "ipvs-ctl drift --now"`
        : 'and the kernel has it so'
  const byHand = server.steering === undefined ? undefined : steeringText(server.steering, now)
  return [wantedText(server), ...(byHand === undefined ? [] : [byHand]), ...restText(service), kernel].join('; ')
}

/** Suspended checks say nothing new. */
function restText({ suspended }: VirtualServerStatus): string[] {
  return suspended === true
    ? ['its checks rest while its VIP is not on this machine (ha_suspend): what they said last counts']
    : []
}

/** What was asked for by hand, as far as it says something of the weight. */
function steeringText(
  { admin, host, since, deadline, connectionsLeft, weight, leaving }: SteeringStatus,
  now: number,
): string | undefined {
  // prettier-ignore
  const when = since === undefined ? '' : ` ${ago(since, now)}`
  const of = host ? 'with its host, ' : ''
  const back = host ? '"ipvs-ctl maintenance --off" puts it back' : '"ipvs-ctl enable" puts it back'
  if (leaving) return 'a reload removed it: it serves the connections it has and is gone then'
  if (admin === 'disabled') return `disabled by hand${when}: ${back}`
  if (admin === 'drained') return `${of}drained by hand${when}: ${back}`
  if (admin === 'draining') {
    const left = connectionsLeft === undefined ? '' : `, ${count(connectionsLeft, 'connection')} left`
    const end = deadline === undefined ? '' : `, out in ${lengthy(Math.max(0, deadline - now))} whatever is left`
    return `${of}being drained by hand${when}${left}${end}: ${back}`
  }
  return weight === undefined ? undefined : `set by hand: "ipvs-ctl reset" gives it back to the file`
}

/** With what made it so; what was done by hand is told with more than a step knows. */
function wantedText({ wantedWeight, weightSteps = [] }: ServerStatus): string {
  const wanted = wantedWeight === undefined ? 'no entry is wanted' : `weight ${wantedWeight} is wanted`
  const whys = weightSteps.filter(({ by }) => by !== 'hand').map(({ why }) => why)
  return whys.length === 0 ? wanted : `${wanted}: ${whys.join('; ')}`
}

function returnText(server: ServerStatus): string | undefined {
  if (server.state === 'up') return undefined
  // What could not look for reasons of our own does not keep it out.
  const waiting = server.checks.filter(({ state, class: kind }) => state === 'down' || (state === 'unknown' && kind !== 'local')) // prettier-ignore
  if (waiting.length === 0) return undefined
  const each = waiting.map((check) => {
    const due =
      check.nextInMs === undefined ? '' : `, due ${check.nextInMs < 1000 ? 'now' : `in ${lengthy(check.nextInMs)}`}`
    const { successes = 1, upAgain } = check.timing ?? {}
    const within = upAgain === undefined ? '' : `; ${atMost(upAgain)} once it is well`
    return `${successes === 1 ? 'one success' : `${successes} successes in a row`} of ${checkName(check)}${due}${within}`
  })
  return each.join(' and ')
}

/** From the death of a server to the verdict, as docs/checkers.md reckons it. */
function noticeText({ kind, timing }: CheckStatus): string | undefined {
  if (timing === undefined) return undefined
  const { downRefused: refused, downSilent: silent } = timing
  if (refused === undefined && silent === undefined) return `${kind}: never by itself, only when it is told`
  if (refused === silent && refused !== undefined) return `${kind}: ${atMost(refused)}`
  const [refusing, mute] = failureWords[kind] ?? ['where it refuses', 'where it does not answer']
  const within = (time: number | undefined): string => (time === undefined ? 'never' : atMost(time))
  return `${kind}: ${within(refused)} ${refusing}, ${within(silent)} ${mute}`
}

/** How what fails at once, and what never answers, look to checks that do not ask a server. */
const failureWords: Readonly<Record<string, readonly [string, string]>> = {
  MISC_CHECK: ['where the script says so', 'where the script hangs'],
}

/** Rounded up, as a limit has to be: to tenths of seconds. */
const atMost = (time: number): string => `at most ${formatDuration(Math.ceil(time / 100) * 100)}`

function explainService(service: VirtualServerStatus, now: number): Explanation {
  const notUp = service.servers.filter((server) => server.state !== 'up')
  const reasons = notUp.map((server) => `${server.name} is ${server.state}: ${server.reason}`)
  const sorry = service.sorryServer
  return {
    about: `${service.name}: ${service.state} for ${lengthy(now - service.since)}`,
    answers: [
      { question: 'why', answer: quorumText(service) },
      ...(service.refused === undefined
        ? []
        : [{ question: 'why it is not offered all the same', answer: `the kernel refuses it: ${service.refused}` }]),
      {
        question: 'its real servers',
        answer: reasons.length === 0 ? `all ${service.servers.length} are up` : reasons.join('; '),
      },
      ...(service.state === 'up' ? [] : [{ question: 'who answers meanwhile', answer: meanwhileText(service, sorry) }]),
    ],
  }
}

function meanwhileText(service: VirtualServerStatus, sorry: ServerStatus | undefined): string {
  if (sorry !== undefined) return `the sorry server ${sorry.name}`
  const left = service.servers.filter((server) => (server.wantedWeight ?? 0) > 0)
  return left.length === 0
    ? 'nobody: there is no sorry server'
    : `those left: ${left.map(({ name }) => name).join(', ')}`
}
