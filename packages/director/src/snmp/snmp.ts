import type { Config } from '@ipvs-director/config'
import type { Status } from '@ipvs-director/control'
import { describeError, type Clock, type Logger } from '@ipvs-director/core'
import type { Alarm } from '../alarms/alarm.ts'
import { createAgent, type Agent } from './agent.ts'
import { keepalivedVrrpNodes } from './mib/keepalived-vrrp.ts'
import { globalNodes, keepalivedMib } from './mib/keepalived-global.ts'
import { serverNodes } from './mib/keepalived-servers.ts'
import { serviceNodes } from './mib/keepalived-services.ts'
import { serviceRows, type SnmpSnapshot } from './mib/snapshot.ts'
import { vrrpMib, vrrpV2Nodes, vrrpv3Mib, vrrpV3Nodes } from './mib/vrrp-rfc.ts'
import type { Oid } from './oid.ts'
import { notificationsOf } from './traps.ts'
import { createTree, type MibTree } from './tree.ts'

/** The AgentX sub-agent of the running configuration: KEEPALIVED-MIB, VRRP-MIB, VRRPv3-MIB, notifications. */
export interface Snmp {
  /** Begins, goes on or ends as `enable_snmp_…` and `snmp_socket` say. */
  apply(config: Config): void
  /** Notifies, where `enable_traps` is set. Never throws, never waits. */
  tell(alarm: Alarm): void
  readonly connected: boolean
  stop(): void
}

export interface SnmpOptions {
  readonly status: () => Promise<Status>
  readonly clock: Clock
  readonly logger: Logger
  /** Command line: `-x` enables all but the notifications, `-A` names the socket. */
  readonly enable: boolean
  readonly socket: string | undefined
}

const defaultSocket = '/var/agentx/master'

/** Notifications of one second at most: a manager drowns sooner than the log. */
const mostPerSecond = 100

export function createSnmp(options: SnmpOptions): Snmp {
  const { clock, logger } = options
  let config: Config | undefined
  let agent: Agent | undefined
  let running = ''
  let known: { readonly at: number; readonly tree: Promise<MibTree> } | undefined
  /** What is told before the first configuration is here: the first judgement of the services. */
  let early: Alarm[] = []
  let second = 0
  let sent = 0

  /** `-x` stands for the tables of keepalived's own MIB. */
  const wanted = (from: Config): Config['snmp'] =>
    options.enable ? { ...from.snmp, vrrp: true, checker: true } : from.snmp

  const snapshot = async (): Promise<SnmpSnapshot> => {
    if (config === undefined) throw new Error('no configuration')
    return { status: await options.status(), config, masterSince: agent?.masterSince }
  }

  const makeTree = async (): Promise<MibTree> => {
    const now = await snapshot()
    const { checker, vrrp, rfcV2, rfcV3 } = now.config.snmp
    const services = checker ? await serviceRows(now) : []
    return createTree([
      ...(checker || vrrp ? globalNodes(now) : []),
      ...(checker ? await serviceNodes(now, services) : []),
      ...(await serverNodes(services)),
      ...(vrrp ? keepalivedVrrpNodes(now) : []),
      ...(rfcV2 ? vrrpV2Nodes(now) : []),
      ...(rfcV3 ? vrrpV3Nodes(now) : []),
    ])
  }

  /** The state may be some seconds old: a walk of a large table does not ask the kernel for every row. */
  const currentTree = (): Promise<MibTree> => {
    const { virtualServerAge = 0, realServerAge = 0 } = config?.snmp ?? {}
    const age = Math.min(virtualServerAge, realServerAge)
    if (known === undefined || clock.now() - known.at > age) {
      const tree = makeTree()
      known = { at: clock.now(), tree }
      tree.catch(() => (known = undefined))
    }
    return known.tree
  }

  function end(): void {
    agent?.stop()
    agent = undefined
    running = ''
  }

  function tell(alarm: Alarm): void {
    if (config === undefined) {
      early = [...early.slice(1 - mostPerSecond), alarm]
      return
    }
    if (alarm.kind === 'event' || !config.snmp.traps || agent === undefined) return
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) [second, sent] = [now, 0]
    if (++sent > mostPerSecond) {
      logger.warn('snmp.held', 'more SNMP notifications than can be sent; the log has all that happened')
      return
    }
    try {
      for (const binds of notificationsOf(alarm, config)) agent.notify(binds)
    } catch (error) {
      logger.error('snmp.failed', `an SNMP notification could not be made: ${describeError(error)}`)
    }
  }

  return {
    apply(next) {
      config = { ...next, snmp: wanted(next) }
      known = undefined
      const { checker, vrrp, rfcV2, rfcV3, traps, socket } = config.snmp
      const subtrees: Oid[] = [
        ...(checker || vrrp || traps ? [keepalivedMib] : []),
        ...(rfcV2 ? [vrrpMib] : []),
        ...(rfcV3 ? [vrrpv3Mib] : []),
      ]
      const address = options.socket ?? socket ?? defaultSocket
      const identity = JSON.stringify([address, subtrees])
      if (identity === running && agent !== undefined) return
      end()
      if (subtrees.length === 0) {
        early = []
        return
      }
      running = identity
      agent = createAgent({ address, subtrees, tree: currentTree, id: keepalivedMib, description: 'ipvs-director', clock, logger }) // prettier-ignore
      const told = early
      early = []
      told.forEach(tell)
    },
    tell,
    get connected() {
      return agent?.connected ?? false
    },
    stop: end,
  }
}
