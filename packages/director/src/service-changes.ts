import type { RealServer, VirtualServer } from '@ipvs-director/config'
import { serviceId, type Table } from 'ipvs-netlink'
import { destinationName, serviceKeys } from './desired.ts'
import { likeness } from './same-server.ts'

/** What is asked of the kernel, as it was and as it will be; at least for the real servers that have changed. */
export interface Tables {
  readonly before: Table
  readonly after: Table
}

/** Settings that the table does not have, by their keywords. */
const beside = {
  haSuspend: 'ha_suspend',
  omega: 'omega',
  quorum: 'quorum',
  hysteresis: 'hysteresis',
  quorumUp: 'quorum_up',
  quorumDown: 'quorum_down',
  drainOnRemoval: 'drain_on_removal',
  panicThreshold: 'panic_threshold',
  slowStart: 'slow_start',
  smtpAlert: 'smtp_alert',
  snmpName: 'snmp_name',
  sorryServer: 'sorry_server',
  dynamic: 'real_servers_from',
} as const satisfies { readonly [K in keyof VirtualServer]?: string }

const besideReal = {
  inhibitOnFailure: 'inhibit_on_failure',
  degradedWeight: 'degraded_weight',
  tier: 'tier',
  notifyUp: 'notify_up',
  notifyDown: 'notify_down',
  smtpAlert: 'smtp_alert',
  snmpName: 'snmp_name',
  checkers: 'checks',
} as const satisfies { readonly [K in keyof RealServer]?: string }

/** And what it has of a real server that is in it. */
const inEntry = {
  weight: 'weight',
  forwarding: 'lvs_method',
  upperThreshold: 'uthreshold',
  lowerThreshold: 'lthreshold',
} as const satisfies { readonly [K in keyof RealServer]?: string }

/** A real server that comes, goes, or is other than it was. */
export interface ServerChange {
  readonly name: string
  readonly before: RealServer | undefined
  readonly after: RealServer | undefined
}

/** A virtual server that has changed. */
export interface ServiceChange {
  readonly before: VirtualServer
  readonly after: VirtualServer
  readonly servers: Iterable<ServerChange>
  readonly tables: Tables
}

/**
 * What changes of a virtual server without a change of the table, a line each: checks, settings, real servers that are not in it.
 * With a rest after each real server.
 */
export function* describeServiceChange(change: ServiceChange): Generator<undefined, readonly string[], undefined> {
  const { before, after, servers, tables } = change
  const lines = differing(before, after, beside).map((keyword) => `change ${keyword} of ${after.name}`)
  const changed = new Map<string, string[]>()
  const [had, has] = [entriesOf(tables.before, before), entriesOf(tables.after, after)]
  for (const { name, before: earlier, after: real } of servers) {
    if (real !== undefined && earlier === undefined && !has(real))
      lines.push(`add ${name} to ${after.name}, without an entry for now`)
    if (real !== undefined && earlier !== undefined && earlier !== real) {
      for (const keyword of differing(earlier, real, has(real) ? besideReal : { ...inEntry, ...besideReal })) {
        const names = changed.get(keyword)
        if (names === undefined) changed.set(keyword, [name])
        else names.push(name)
      }
    }
    yield
  }
  for (const [keyword, names] of changed) lines.push(`change ${keyword} of ${several(names)} of ${after.name}`)
  for (const { name, before: earlier, after: real } of servers) {
    if (earlier !== undefined && real === undefined && !had(earlier))
      lines.push(`remove ${name} from ${after.name}, which had no entry`)
    yield
  }
  return lines
}

/** The keywords of what is not the same. */
const differing = <T extends object>(before: T, after: T, keywords: { readonly [K in keyof T]?: string }): string[] =>
  (Object.keys(keywords) as (keyof T)[]).flatMap((key) =>
    likeness({ is: before[key] }, { is: after[key] }) === 'other' ? (keywords[key] ?? []) : [],
  )

/** Tells who has an entry: in each of the services of a virtual server it is the same. */
function entriesOf(table: Table, virtual: VirtualServer): (config: RealServer) => boolean {
  const [key] = serviceKeys(virtual)
  const entries = key === undefined ? undefined : table.get(serviceId(key))?.destinations
  return (config) => key !== undefined && entries?.has(destinationName({ config }, key)) === true
}

const several = (names: readonly string[]): string =>
  names.length === 1 ? (names[0] ?? '') : `${names.length} real servers`
