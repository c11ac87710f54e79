import { millis } from '@ipvs-director/core'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Status } from '../model.ts'
import { weightDiffers } from '../server-row.ts'
import { statusScreen } from '../status-screen.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'
import { live } from './live.ts'

export interface StatusOptions {
  readonly service: string | undefined
  readonly json: boolean
  /** Seconds between two pictures. */
  readonly watch: number | undefined
  /** End with 6 where something is not as it should be. */
  readonly exitCode: boolean
}

/** `ipvs-ctl status`: once, or again and again. */
export async function runStatus(context: CommandContext, options: StatusOptions): Promise<ExitStatus> {
  const services = options.service === undefined ? [] : [options.service]
  const verbose = options.service !== undefined
  const status = await context.client.status(services)
  if (options.watch !== undefined) return watchStatus(context, options, options.watch)
  if (options.json) printAnswer(context, status)
  else printLines(context, statusScreen(status, outScreen(context), { verbose }))
  return options.exitCode && isDegraded(status) ? exitStatus.degraded : exitStatus.ok
}

async function watchStatus(context: CommandContext, options: StatusOptions, every: number): Promise<ExitStatus> {
  const { client, tools } = context
  const services = options.service === undefined ? [] : [options.service]
  await live(
    tools,
    millis(every * 1000),
    async () => {
      const status = await client.status(services)
      if (options.json) return [JSON.stringify(status)]
      return statusScreen(status, outScreen(context), { verbose: options.service !== undefined })
    },
    options.json,
  )
  return exitStatus.ok
}

/** Whether anything is not as it should be: what `status` shouts, a server not up, a wrong weight, a VRRP in need. */
export function isDegraded(status: Status): boolean {
  const { config, kernel, probers, troubles, vrrp, vrrpSilent, virtualServers, sources, dataPaths } = status
  return (
    config.errors > 0 ||
    config.refused !== undefined ||
    !kernel.reachable ||
    probers.some(({ pid, checks }) => pid === undefined && checks > 0) ||
    (troubles?.length ?? 0) > 0 ||
    sources?.some(({ failed }) => failed !== undefined) === true ||
    dataPaths?.some(({ present }) => !present) === true ||
    vrrpSilent !== undefined ||
    vrrp?.instances.some(
      ({ state, rival, claim, strays = [] }) =>
        state === 'fault' || rival !== undefined || claim !== undefined || strays.length > 0,
    ) === true ||
    virtualServers.some(
      (service) =>
        service.state === 'down' ||
        service.refused !== undefined ||
        service.servers.some((server) => server.state !== 'up' || weightDiffers(server)),
    )
  )
}
