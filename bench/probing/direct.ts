import { checkers } from '@ipvs-director/checkers'
import { createFleet } from '@ipvs-director/checkers/probing'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { silentLogger, systemClock } from '@ipvs-director/core'
import { createDirector, noFailover, overlayFile } from 'ipvs-director'
import { memoryIpvs, openIpvs, type IpvsClient } from 'ipvs-netlink'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { now, serverAddress } from './servers.ts'

/** What a director under observation says, a line of JSON each; times by {@link now}. */
export type Said =
  | { readonly say: 'checked'; readonly table: 'kernel' | 'memory' }
  /** Destinations that went and came with one write, which was over at that time. */
  | { readonly say: 'wrote'; readonly at: number; readonly gone: readonly string[]; readonly back: readonly string[] }

/**
 * A director as its users have it, with two prober processes, but for what is around it (VRRP, mail, control socket): one
 * virtual server with so many real servers. Tells when each has been checked, and what goes from the table when.
 */
export async function direct(servers: number, interval: number): Promise<void> {
  const table = existsSync('/proc/net/ip_vs') ? 'kernel' : 'memory'
  const ipvs = table === 'kernel' ? await openIpvs() : memoryIpvs()
  const logger = silentLogger
  const read = filesInMemory(new Map([['/bench.conf', configOf(servers, interval)]]))
  let settled: (() => boolean) | undefined
  const director = createDirector({
    file: '/bench.conf',
    version: 'bench',
    load: async () => {
      const { config } = await loadConfig('/bench.conf', { checkers, read, configId: 'bench' })
      return { config, diagnostics: [], errors: 0, warnings: 0, leftOut: [] }
    },
    ipvs: observed(ipvs),
    ipvsVersion: async () => table,
    startProber: (events) => {
      const seen = new Set<string>()
      settled = () => seen.size === servers
      const entry = join(dirname(process.argv[1] ?? '.'), 'prober.js')
      const report: typeof events.report = (one) => {
        seen.add(one.id)
        events.report(one)
      }
      const trouble = (message: string): void => {
        console.error(message)
      }
      return createFleet({ count: 2, entry, events: { report, trouble }, clock: systemClock, logger })
    },
    runScript: async () => undefined,
    owned: { load: () => [], save: () => undefined },
    overlay: overlayFile(join(process.env['TMPDIR'] ?? '/tmp', `bench-overlay-${process.pid}.json`)),
    alarms: () => ({ apply: () => undefined, tell: () => undefined, stop: async () => undefined }),
    failover: () => noFailover,
    logger,
    clock: systemClock,
  })
  await director.start()
  const waiting = setInterval(() => {
    if (settled?.() !== true) return
    clearInterval(waiting)
    say({ say: 'checked', table })
  }, 200)
}

const say = (said: Said): void => {
  console.log(JSON.stringify(said))
}

function observed(ipvs: IpvsClient): IpvsClient {
  return {
    ...ipvs,
    async execute(commands) {
      const outcomes = await ipvs.execute(commands)
      const at = now()
      const of = (what: string): string[] =>
        commands.flatMap((each) => (each.do === what && 'destination' in each ? [each.destination.address] : []))
      const [gone, back] = [of('deleteDestination'), of('addDestination')]
      if (gone.length + back.length > 0) say({ say: 'wrote', at, gone, back })
      return outcomes
    },
  }
}

function configOf(servers: number, interval: number): string {
  const real = Array.from({ length: servers }, (_, n) => `real_server ${serverAddress(n)} 8001 {\nTCP_CHECK {\n}\n}\n`)
  return `virtual_server 192.0.2.1 80 {
delay_loop ${interval}
connect_timeout 3
fall 1
lb_algo rr
lb_kind NAT
protocol TCP
${real.join('')}}
`
}
