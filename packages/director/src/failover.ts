import type { Config } from '@ipvs-director/config'
import type { Clock, Logger } from '@ipvs-director/core'
import type { Status, VrrpEvent } from '@ipvs-director/vrrp'
import type { EventLog } from './events.ts'
import type { VrrpCommand, VrrpWork } from './vrrp-messages.ts'
import type { VrrpProcess, VrrpProcessOptions, VrrpProcessStatus } from './vrrp-process.ts'

/** VRRP as the director sees it: there when the configuration asks for it. */
export interface Failover {
  /** A configuration to go by: instances that it keeps keep their state. */
  use(config: Config): void
  /** A virtual server's quorum, for `track_virtual_server`. */
  virtualServer(name: string, up: boolean): void
  /** A BFD session, for `track_bfd`. */
  bfd(name: string, up: boolean): void
  /** Every check has had its first word: preempt gates may open. */
  checkersSettled(): void
  /** The kernel has heard connections of the other director. */
  syncHeard(): void
  /** Undefined: there is no VRRP; silent: it does not answer. */
  status(): Promise<VrrpProcessStatus | 'silent' | undefined>
  /** Rejects with the reason when it is refused. */
  command(command: VrrpCommand, name: string): Promise<void>
  /** Whether an instance is master, as last told; undefined: nothing is known of it. */
  isMaster(instance: string): boolean | undefined
  /** Gives everything up; `keep`: leaves the addresses, and says nothing to the others. */
  stop(options: { readonly keep: boolean }): Promise<void>
}

export interface FailoverOptions {
  readonly start: (options: Pick<VrrpProcessOptions, 'work' | 'events' | 'logger' | 'clock'>) => VrrpProcess
  readonly logger: Logger
  readonly events: EventLog
  readonly clock: Clock
  /** Something happened to an instance, a group or its surroundings. */
  readonly happened: (event: VrrpEvent) => void
}

export function createFailover({ start, logger, events, clock, happened }: FailoverOptions): Failover {
  let running: VrrpProcess | undefined
  const masters = new Map<string, boolean>()
  const quorums = new Map<string, boolean>()
  const sessions = new Map<string, boolean>()
  const gates = new Set<'checkers' | 'ipvsSync'>()

  function hear(event: VrrpEvent): void {
    if (event.type === 'instance') masters.set(event.name, event.state === 'MASTER')
    if (event.type !== 'rejected') {
      const told = describe(event)
      events.add(told.event, told.message, told.fields)
    }
    happened(event)
  }

  function tellAll(to: VrrpProcess): void {
    for (const [name, up] of quorums) to.report('virtualServer', name, statusOf(up, 'no quorum'))
    for (const [name, up] of sessions) to.report('bfd', name, statusOf(up, 'the session is down'))
    for (const gate of gates) to.gateOpened(gate)
  }

  function open(gate: 'checkers' | 'ipvsSync'): void {
    if (gates.has(gate)) return
    gates.add(gate)
    running?.gateOpened(gate)
  }

  return {
    use(config) {
      if (isIdle(config)) {
        if (running === undefined) return
        const ended = running
        running = undefined
        masters.clear()
        void ended.stop()
        return
      }
      const work = workOf(config)
      if (running !== undefined) running.apply(work)
      else {
        running = start({ work, events: hear, logger, clock })
        tellAll(running)
      }
    },
    virtualServer(name, up) {
      if (quorums.get(name) === up) return
      quorums.set(name, up)
      running?.report('virtualServer', name, statusOf(up, 'no quorum'))
    },
    bfd(name, up) {
      if (sessions.get(name) === up) return
      sessions.set(name, up)
      running?.report('bfd', name, statusOf(up, 'the session is down'))
    },
    checkersSettled() {
      open('checkers')
    },
    syncHeard() {
      open('ipvsSync')
    },
    status: async () => (running === undefined ? undefined : ((await running.status()) ?? 'silent')),
    async command(command, name) {
      if (running === undefined) throw new RangeError('there is no vrrp_instance in the configuration')
      await running.command(command, name)
    },
    isMaster: (instance) => masters.get(instance),
    async stop({ keep }) {
      await running?.stop({ keep })
      running = undefined
    },
  }
}

const statusOf = (up: boolean, why: string): Status => (up ? { kind: 'good' } : { kind: 'bad', why })

/** Without instances and static addresses there is nothing to do, and no process. */
function isIdle({ vrrp }: Config): boolean {
  const { instances, staticAddresses, staticRoutes, staticRules } = vrrp
  return [instances, staticAddresses, staticRoutes, staticRules].every(({ length }) => length === 0)
}

function workOf({ vrrp, trackFiles, globals }: Config): VrrpWork {
  const { scriptUser, enableScriptSecurity, setSupplementaryGroups, useSymlinkPaths } = globals
  const scripts = { scriptUser, enableScriptSecurity, setSupplementaryGroups, useSymlinkPaths }
  return { plan: { vrrp, trackFiles }, scripts }
}

/** An event of VRRP in the event log's words. */
function describe(event: Exclude<VrrpEvent, { type: 'rejected' }>): {
  readonly event: string
  readonly message: string
  readonly fields: Record<string, string | number | boolean | undefined>
} {
  switch (event.type) {
    case 'instance': {
      const { name, state, from, why, priority, group } = event
      return {
        event: 'vrrp.instance',
        message: `(${name}) Entering ${state} STATE: ${why}`,
        fields: { instance: name, state, from, priority, group },
      }
    }
    case 'group':
      return {
        event: 'vrrp.group',
        message: `VRRP_Group(${event.name}) Syncing instances to ${event.state} state: ${event.why}`,
        fields: { group: event.name, state: event.state, from: event.from },
      }
    case 'priority':
      return {
        event: 'vrrp.priority',
        message: `(${event.name}) Changing effective priority from ${event.from} to ${event.to}`,
        fields: { instance: event.name, from: event.from, to: event.to },
      }
    case 'rxLowerPriority':
      return {
        event: 'vrrp.lower-priority',
        message: `(${event.name}) Received advert from ${event.source} with lower priority ${event.priority}, ours ${event.own}`,
        fields: { instance: event.name, source: event.source, priority: event.priority },
      }
    case 'alarm':
    case 'calm':
      return {
        event: `vrrp.${event.type}`,
        message: `(${event.name}) ${event.text}`,
        fields: { instance: event.name, kind: event.kind },
      }
  }
}

/** No VRRP at all: for tests, and where only the services are wanted (`-C`). */
export const noFailover: Failover = {
  use: () => undefined,
  virtualServer: () => undefined,
  bfd: () => undefined,
  checkersSettled: () => undefined,
  syncHeard: () => undefined,
  status: async () => undefined,
  command: async () => {
    throw new RangeError('VRRP does not run')
  },
  isMaster: () => undefined,
  stop: async () => undefined,
}
