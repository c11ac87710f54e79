import { count } from '@ipvs-director/core'
import type { ServerStatus, SteerRequest, Status, SteeringStatus } from '../model.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { lengthy } from '../quantities.ts'
import { paragraph, preformatted } from '../screen.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface SteerOptions {
  readonly request: SteerRequest
  readonly json: boolean
  /** Waits until what is drained is out, and tells how far it is. */
  readonly wait: boolean
}

/** How often a drain that is waited for is looked at, milliseconds. */
const pace = 1000

/** `ipvs-ctl drain`, `disable`, `enable`, `weight`, `force`, `maintenance`, `add`, `remove`, `remove-service`, `reset`. */
export async function runSteer(context: CommandContext, { request, json, wait }: SteerOptions): Promise<ExitStatus> {
  const answer = await context.client.steer(request)
  const screen = outScreen(context)
  // What else cannot be done is an error that the client throws.
  const lines = answer.ok
    ? answer.changes.flatMap((text) => paragraph(screen, printable(text)))
    : [
        ...(answer.diagnostics ?? []).flatMap((text) => preformatted(screen, text, undefined, '')),
        ...paragraph(screen, `nothing is added: ${printable(answer.problem)}`, { tone: 'bad' }),
      ]
  if (json) printAnswer(context, answer)
  else printLines(context, lines)
  if (!answer.ok) return exitStatus.refused
  return wait ? waitForDrain(context, request, json) : exitStatus.ok
}

async function waitForDrain(context: CommandContext, request: SteerRequest, json: boolean): Promise<ExitStatus> {
  const { tools } = context
  let told = ''
  let looks = 0
  while (!tools.interrupted.aborted) {
    const meant = meantBy(await context.client.status(), request)
    const draining = meant.flatMap(({ steering }) => (steering?.admin === 'draining' ? [steering] : []))
    const back = meant.filter(({ steering }) => steering?.admin === undefined)
    // The first answer may have been made for somebody who asked before the drain.
    looks++
    if (back.length > 0 && looks > 1) {
      const names = back.map(({ name }) => name).join(', ')
      if (!json)
        printLines(context, paragraph(outScreen(context), `not drained: ${names} is in use again`, { tone: 'bad' }))
      return exitStatus.refused
    }
    if (draining.length === 0 && back.length === 0) {
      if (!json) printLines(context, paragraph(outScreen(context), 'drained', { tone: 'good' }))
      return exitStatus.ok
    }
    const text = progress(draining, tools.clock.wall())
    if (!json && draining.length > 0 && text !== told) printLines(context, paragraph(outScreen(context), text))
    told = text
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pace)
      tools.interrupted.addEventListener(
        'abort',
        () => {
          clearTimeout(timer)
          resolve()
        },
        { once: true },
      )
    })
  }
  return exitStatus.refused
}

/** Those that the request was about. */
function meantBy({ virtualServers }: Status, request: SteerRequest): ServerStatus[] {
  return virtualServers.flatMap(({ name: service, servers }) =>
    servers.filter(({ name }) => isMeant(request, service, name)),
  )
}

function isMeant(request: SteerRequest, service: string, server: string): boolean {
  if (request.action === 'maintenance') return hostOf(server) === request.host
  if (request.action === 'add-service') return false
  if (request.action === 'remove-service') return request.service === service
  if (request.service !== undefined && request.service !== service) return false
  return request.server === undefined || request.server === server
}

const hostOf = (server: string): string => server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '')

function progress(draining: readonly SteeringStatus[], now: number): string {
  const left = draining.reduce((sum, { connectionsLeft = 0 }) => sum + connectionsLeft, 0)
  const deadlines = draining.flatMap(({ deadline }) => (deadline === undefined ? [] : [deadline]))
  const until = deadlines.length === 0 ? '' : `, at most ${lengthy(Math.max(...deadlines) - now)} more`
  return `${count(left, 'connection')} left${until}`
}
