import type { Script, SyncGroup, VrrpConfig, VrrpInstance, VrrpNotify } from '@ipvs-director/config'
import type { NotifyState, VrrpEvent } from './events.ts'
import type { Phase } from './state.ts'
import type { VrrpStatus } from './vrrp.ts'

/** One thing to do because of an event. They are done in this order; nothing waits for a script to end. */
export type Notification =
  /** Run it with `arguments` appended to its own words. */
  | { readonly do: 'script'; readonly script: Script; readonly arguments: readonly string[] }
  /** Write the line, without its line end, to `notify_fifo` and `vrrp_notify_fifo`. */
  | { readonly do: 'fifo'; readonly line: string }
  | { readonly do: 'mail'; readonly subject: string; readonly body: string }

type Blocks = Pick<VrrpConfig, 'instances' | 'syncGroups'> & {
  readonly globals: Pick<VrrpConfig['globals'], 'mailFaults'>
}

/** What keepalived would do on this event: the specific script, then the general one, the pipes, mail (reference §8). */
export function notificationsOf(event: VrrpEvent, config: Blocks): readonly Notification[] {
  switch (event.type) {
    case 'instance': {
      const instance = config.instances.find(({ name }) => name === event.name)
      return instance === undefined || !event.notify ? [] : ofInstance(event, instance, config.globals.mailFaults)
    }
    case 'group': {
      const group = config.syncGroups.find(({ name }) => name === event.name)
      return group === undefined ? [] : ofGroup(event, group, config.globals.mailFaults)
    }
    case 'priority': {
      const instance = config.instances.find(({ name }) => name === event.name)
      if (instance?.notify.priorityChanges !== true || (event.state !== 'MASTER' && event.state !== 'BACKUP')) return []
      return [line('INSTANCE', event.name, `${event.state}_PRIORITY`, event.to)]
    }
    case 'rxLowerPriority': {
      const instance = config.instances.find(({ name }) => name === event.name)
      const script = instance?.notifyMasterRxLowerPriority
      return [
        ...(script === undefined ? [] : [{ do: 'script', script, arguments: [] } as const]),
        line('INSTANCE', event.name, 'MASTER_RX_LOWER_PRI', event.own),
      ]
    }
    case 'alarm':
    case 'calm':
    case 'rejected':
      return []
  }
}

/** All states again, groups first, for `fifo_write_vrrp_states_on_reload`. What has no state yet is left out. */
export function stateLines({ instances, groups }: VrrpStatus): readonly string[] {
  const told = (kind: 'INSTANCE' | 'GROUP', name: string, phase: Phase, priority: number): readonly string[] => {
    const state = phases[phase]
    return state === undefined ? [] : [textOf(kind, name, state, priority)]
  }
  return [
    ...groups.flatMap(({ name, state }) => told('GROUP', name, state, 0)),
    ...instances.flatMap(({ name, state, priority }) => told('INSTANCE', name, state, priority.effective)),
  ]
}

const phases: Readonly<Partial<Record<Phase, NotifyState>>> = {
  master: 'MASTER',
  backup: 'BACKUP',
  fault: 'FAULT',
  stopped: 'STOP',
}

const textOf = (kind: 'INSTANCE' | 'GROUP', name: string, state: string, priority: number): string =>
  `${kind} "${name}" ${state} ${priority}`

const line = (kind: 'INSTANCE' | 'GROUP', name: string, state: string, priority: number): Notification => ({
  do: 'fifo',
  line: textOf(kind, name, state, priority),
})

type InstanceEvent = Extract<VrrpEvent, { type: 'instance' }>
type GroupEvent = Extract<VrrpEvent, { type: 'group' }>

function ofInstance(event: InstanceEvent, instance: VrrpInstance, mailFaults: boolean): readonly Notification[] {
  const { name, state, priority } = event
  const told = [
    ...scripts(state === 'DELETED' ? deletedScript(instance) : specific(instance.notify, state)),
    ...scripts(instance.notify.any, ['INSTANCE', name, state, String(priority)]),
    line('INSTANCE', name, state, priority),
  ]
  const text = bodies[state]
  if (!instance.notify.smtpAlert || text === undefined || (state === 'FAULT' && !mailFaults)) return told
  return [...told, { do: 'mail', subject: `VRRP Instance ${name} - ${entering(state)}`, body: text }]
}

function ofGroup({ name, state }: GroupEvent, group: SyncGroup, mailFaults: boolean): readonly Notification[] {
  const told = [
    ...scripts(specific(group.notify, state)),
    ...scripts(group.notify.any, ['GROUP', name, state, '0']),
    line('GROUP', name, state, 0),
  ]
  if (!group.notify.smtpAlert || (state === 'FAULT' && !mailFaults)) return told
  const body = `=> All VRRP group instances are now in ${state} state <=`
  return [...told, { do: 'mail', subject: `VRRP Group ${name} - ${entering(state)}`, body }]
}

const scripts = (script: Script | undefined, given: readonly string[] = []): readonly Notification[] =>
  script === undefined ? [] : [{ do: 'script', script, arguments: given }]

const deletedScript = ({ notifyDeleted }: VrrpInstance): Script | undefined =>
  notifyDeleted === true ? undefined : notifyDeleted

function specific(notify: VrrpNotify, state: NotifyState): Script | undefined {
  switch (state) {
    case 'MASTER':
      return notify.master
    case 'BACKUP':
      return notify.backup
    case 'FAULT':
      return notify.fault
    case 'STOP':
      return notify.stop
    case 'DELETED':
      return undefined
  }
}

const entering = (state: NotifyState): string =>
  state === 'STOP' ? 'Stopping' : state === 'DELETED' ? 'Deleted' : `Entering ${state} state`

const bodies: Readonly<Partial<Record<NotifyState, string>>> = {
  MASTER: '=> VRRP Instance is now owning VRRP VIPs <=',
  BACKUP: '=> VRRP Instance is no longer owning VRRP VIPs <=',
  FAULT: '=> VRRP Instance is no longer owning VRRP VIPs <=',
  STOP: '=> VRRP Instance stopping <=',
  DELETED: '=> VRRP Instance is no longer owning VRRP VIPs <=',
}
