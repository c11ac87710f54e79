/** `nftables_ipvs`: nft(8) gives the packets to a group's addresses the mark of its service. */
import {
  addressBytes,
  describeError,
  familyOf,
  millis,
  seconds,
  type Clock,
  type Family,
  type Logger,
  type Millis,
  type Timer,
} from '@ipvs-director/core'
import type { Config, GroupMarking } from '@ipvs-director/config'
import type { TroubleStatus } from '@ipvs-director/control'
import type { EventLog } from './events.ts'

/** Feeds a script to nft(8); rejects with its words. */
type RunNft = (script: string) => Promise<unknown>

export interface GroupMarks {
  /** Packets are marked as this configuration wants it; resolves when that was tried. */
  use(config: Config): Promise<void>
  /** No packet is marked any more. */
  stop(): Promise<void>
  /** Since when they are not as wanted, and why; undefined: they are. */
  trouble(): TroubleStatus | undefined
}

/** Nothing is marked, and nothing is run. */
export const noMarks: GroupMarks = {
  use: async () => undefined,
  stop: async () => undefined,
  trouble: () => undefined,
}

export interface GroupMarksOptions {
  readonly run: RunNft
  readonly clock: Clock
  readonly logger: Logger
  readonly events: Pick<EventLog, 'add'>
}

/** What nft refuses is tried again after so long, and each time after twice that. */
const firstWait = seconds(1)
const longestWait = seconds(60)

type Settings = NonNullable<Config['globals']['groupMarks']>

/** What nft is to have. */
interface Wanted {
  readonly script: string
  readonly table: string | undefined
}

export function createGroupMarks({ run, clock, logger, events }: GroupMarksOptions): GroupMarks {
  let table: string | undefined
  let told = ''
  let wanted: Wanted = { script: '', table: undefined }
  let queue: Promise<void> = Promise.resolve()
  let trouble: TroubleStatus | undefined
  let retry: Timer | undefined

  function apply(next: Wanted): Promise<void> {
    wanted = next
    retry?.cancel()
    queue = queue.then(() => attempt(next, firstWait))
    return queue
  }

  async function attempt(next: Wanted, wait: Millis): Promise<void> {
    const before = table !== undefined && table !== next.table ? removal(table) : ''
    if (before + next.script === '' || (before === '' && next.script === told)) {
      mended()
      return
    }
    try {
      await run(before + next.script)
      told = next.script
      table = next.table
      mended()
    } catch (error) {
      told = ''
      failed(describeError(error))
      if (next !== wanted) return
      retry = clock.after(wait, () => {
        queue = queue.then(() => (next === wanted ? attempt(next, millis(Math.min(2 * wait, longestWait))) : undefined))
      })
    }
  }

  function failed(why: string): void {
    const message = `nftables_ipvs: packets to the addresses of groups are not marked, and so not balanced: ${why}`
    if (trouble?.message !== message) {
      logger.error('groups.unmarked', message)
      events.add('groups.unmarked', message)
    }
    trouble = { what: 'groups.unmarked', since: trouble?.since ?? clock.wall(), message }
  }

  function mended(): void {
    if (trouble === undefined) return
    trouble = undefined
    const message = 'nftables_ipvs: packets to the addresses of groups are marked as they should be again'
    logger.info('groups.marked', message)
    events.add('groups.marked', message)
  }

  return {
    use({ globals: { groupMarks }, virtualServers }) {
      const all = virtualServers.flatMap(({ target, protocol }): Marked[] =>
        target.kind === 'group' && target.marking !== undefined ? [{ protocol, ...target.marking }] : [],
      )
      if (groupMarks === undefined || all.length === 0) return apply({ script: '', table: undefined })
      return apply({ script: markingScript(groupMarks, all), table: groupMarks.table })
    },
    async stop() {
      await apply({ script: '', table: undefined })
      retry?.cancel()
    },
    trouble: () => trouble,
  }
}

interface Marked extends GroupMarking {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}

const removal = (table: string): string => `add table inet ${table}\ndelete table inet ${table}\n`

/**
 * The whole table at once, with a map for each protocol and family. Marked is what comes in and is for this machine, before
 * IPVS sees it; what the machine itself sends is not, as in keepalived.
 */
export function markingScript({ table, priority, counters }: Settings, all: readonly Marked[]): string {
  const maps = (['tcp', 'udp', 'sctp'] as const).flatMap((protocol) =>
    (['inet', 'inet6'] as const).flatMap((family) => {
      const elements = all.filter((each) => each.protocol === protocol).flatMap((each) => elementsOf(each, family))
      return elements.length === 0 ? [] : [{ protocol, family, name: `${protocol}${family === 'inet' ? 4 : 6}`, elements: [...new Set(elements)] }] // prettier-ignore
    }),
  )
  const count = counters ? 'counter ' : ''
  return `${removal(table)}${[
    `table inet ${table} {`,
    ...maps.flatMap(({ name, family, elements }) => [
      `  map ${name} {`,
      `    type ${family === 'inet' ? 'ipv4_addr' : 'ipv6_addr'} . inet_service : mark`,
      '    flags interval',
      `    elements = { ${elements.join(', ')} }`,
      '  }',
    ]),
    '  chain in {',
    `    type filter hook input priority ${priority}; policy accept`,
    ...maps.map(({ protocol, family, name }) => `    meta l4proto ${protocol} meta mark set ${family === 'inet' ? 'ip' : 'ip6'} daddr . ${protocol} dport map @${name} ${count}accept`), // prettier-ignore
    '  }',
    '}',
  ].join('\n')}\n`
}

/** `10.0.0.1-10.0.0.9 . 80 : 1000`; port 0 stands for any. Neighbours of one port are one range. */
function elementsOf({ mark, addresses }: Marked, family: Family): readonly string[] {
  const sorted = addresses
    .filter(({ address }) => familyOf(address) === family)
    .map(({ address, port }) => ({ address, port, number: numberOf(addressBytes(address)) }))
    .sort((a, b) => a.port - b.port || (a.number < b.number ? -1 : a.number > b.number ? 1 : 0))
  const runs: { first: string; last: string; end: bigint; port: number }[] = []
  for (const { address, port, number } of sorted) {
    const run = runs.at(-1)
    if (run !== undefined && run.port === port && (number === run.end || number === run.end + 1n)) {
      run.last = address
      run.end = number
    } else runs.push({ first: address, last: address, end: number, port })
  }
  return runs.map(({ first, last, port }) => `${first === last ? first : `${first}-${last}`} . ${port === 0 ? '0-65535' : port} : ${mark}`) // prettier-ignore
}

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
