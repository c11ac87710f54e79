import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration, millis, seconds, type Millis } from '@ipvs-director/core'
import { schedSetscheduler } from '@ipvs-director/linux'
import { root } from '../../test/lab/root.ts'
import { until, upLab, type Host, type LabSpec } from '../../test/lab/index.ts'
import { addressesOf, startKeepalived, startOurs } from '../../test/integration/vrrp.ts'
import { median } from '../measure.ts'
import { replaceSection } from '../section.ts'
import { fakeMaster, vip } from './master.ts'

/**
 * `npm run bench -- vrrp`: how fast the address is taken over, and what 500 instances cost, beside keepalived, on this
 * machine's own kernel in network namespaces, as root. Writes its part of docs/benchmarks.md; `-- vrrp cost` and
 * `-- vrrp takeover` (adverts of 30 ms) measure one thing and only print it.
 */
export async function vrrp(only?: string): Promise<number> {
  schedSetscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, 60)
  const lab = await upLab(spec)
  try {
    if (only === 'cost') {
      console.log(table(costHead, await processorTime(lab.hosts.a, lab.hosts.b)))
      return 0
    }
    if (only === 'takeover') {
      console.log(table(takeoverHead, await compare(lab.hosts.a, lab.hosts.b, millis(30), 40)))
      return 0
    }
    const takeovers: string[][] = []
    for (const [interval, rounds] of cases)
      takeovers.push(...(await compare(lab.hosts.a, lab.hosts.b, interval, rounds)))
    console.log('bench: 500 instances')
    const costs = await processorTime(lab.hosts.a, lab.hosts.b)
    const text = section(takeovers, costs)
    console.log(`\n${text}`)
    replaceSection(join(root, 'docs/benchmarks.md'), text)
    return 0
  } finally {
    await lab.down()
  }
}

const SCHED_RR = 2
const SCHED_RESET_ON_FORK = 0x4000_0000

const spec: LabSpec<'a' | 'b'> = {
  networks: ['lan'],
  hosts: { a: { links: { lan: ['10.0.0.1/24'] } }, b: { links: { lan: ['10.0.0.2/24'] } } },
}

const cases = [
  [seconds(1), 7],
  [millis(100), 20],
  [millis(30), 20],
] as const

const priority = 100
/** Both of them, and the bench itself: what else the machine does is not measured. */
const realTime = 'global_defs {\n vrrp_rt_priority 50\n}\n'
const block = (name: string, vrid: number, interval: Millis, of: number, address: string, more = ''): string =>
  `vrrp_instance ${name} {\n interface eth0\n virtual_router_id ${vrid}\n priority ${of}\n version 3\n advert_int ${interval / 1000}\n ${more}\n virtual_ipaddress {\n ${address}\n }\n}\n`

type Contestant = 'ours' | 'keepalived'

/** RFC 9568 §6.1. */
const skew = (interval: Millis): number => ((256 - priority) * interval) / 256

async function compare(a: Host, b: Host, interval: Millis, rounds: number): Promise<string[][]> {
  const rows: string[][] = []
  for (const how of ['silence', 'resignation'] as const) {
    const taken: Record<Contestant, number[]> = { ours: [], keepalived: [] }
    for (const who of ['ours', 'keepalived'] as const) {
      console.log(`bench: ${how} at adverts of ${formatDuration(interval)}, ${who}`)
      const stop = await start(who, a, realTime + block('V', 51, interval, priority, vip))
      const master = fakeMaster(b, a)
      for (let i = 0; i < rounds; i++) {
        await master.reign(interval)
        taken[who].push(await master.end(how, interval))
      }
      master.close()
      await stop()
    }
    const due = millis((how === 'silence' ? 3 * interval : 0) + skew(interval))
    const figures = ([who]: [Contestant]): string[] => [
      formatDuration(median(taken[who])),
      formatDuration(Math.max(...taken[who])),
    ]
    rows.push([how, formatDuration(interval), formatDuration(due), ...figures(['ours']), ...figures(['keepalived'])])
  }
  return rows
}

/** Starts one of them; resolves, when it listens, with what ends it. */
async function start(who: Contestant, host: Host, config: string): Promise<() => Promise<void>> {
  if (who === 'ours') {
    const ours = await startOurs(host, config)
    return async () => {
      ours.letDie()
      await ours.process.stop()
    }
  }
  const theirs = startKeepalived(host, config)
  await theirs.says(/Startup complete/)
  return async () => {
    await theirs.stop()
  }
}

const count = 500
const window = seconds(10)

/** Each with the other one as its peer: 500 masters here are 500 backups there. Shares of one processor. */
async function processorTime(a: Host, b: Host): Promise<string[][]> {
  const many = (of: number): string =>
    Array.from({ length: count }, (_, i) => {
      const group = i < 250 ? '' : 'mcast_dst_ip 224.0.0.19' // VRIDs end at 255
      return block(`V${i}`, (i % 250) + 1, seconds(1), of, `10.1.${i >> 8}.${i & 255}/32`, group)
    }).join('')
  const rows: string[][] = []
  for (const [role, own, other] of [
    ['master', 150, 100],
    ['backup', 100, 150],
  ] as const) {
    // prettier-ignore
    // First whoever is to be master: 500 elections at once are another matter.
    const holder = role === 'master' ? a : b
    const settled = (): Promise<unknown> =>
      until(`${count} masters`, seconds(60), async () => (await addressesOf(holder)).split('\n').length > count)
    const early = role === 'master' ? undefined : startKeepalived(b, many(other))
    if (early !== undefined) await settled()
    const ours = await startOurs(a, many(own))
    await settled()
    const theirs = early ?? startKeepalived(b, many(other))
    await sleep(30_000) // the second burst of announcements is over, and V8 has compiled what runs often
    const pids = [await ours.pid(), childOf(theirs.pid)] as const
    const before = pids.map(processor)
    await sleep(window)
    const [mine = NaN, peer = NaN] = pids.map((pid, i) => (processor(pid) - (before[i] ?? NaN)) / window)
    rows.push([role, percent(mine), role === 'master' ? 'backup' : 'master', percent(peer)])
    ours.letDie()
    await Promise.all([ours.process.stop(), theirs.stop()])
  }
  return rows
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const tick = 10

/** Milliseconds that a process has used. */
function processor(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * tick
}

/** keepalived's VRRP process is the child of the one that was started (by nsenter, which became it). */
const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0])

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const takeoverHead = ['end of the master', 'adverts', 'due', 'ours, median', 'worst', 'keepalived, median', 'worst']
const costHead = ['ours as', 'ours', 'keepalived as', 'keepalived']
const title = '## Failover'

const section = (takeovers: readonly string[][], costs: readonly string[][]): string => `${title}

Written by \`npm run bench -- vrrp\` with Node ${process.versions.node} on a machine's own kernel. A master falls silent, or sends priority 0; how
long until the backup's address is in the kernel, by its own announcement. _Due_ is what RFC 9568 asks for. Both run with
\`vrrp_rt_priority 50\`, so that what else the machine does is not measured.

${table(takeoverHead, takeovers)}

${count} instances at adverts of 1 s, one address each, beside each other on one network: processor time of the process, as a share
of one processor, half a minute after the elections. Our addresses have a lease of 3 s in the kernel, renewed every second.

${table(costHead, costs)}

After \`kill -9\` of everything keepalived's addresses stay for ever; ours are gone when the lease is: 3 s here
(test/integration/vrrp.lab.test.ts).
`
