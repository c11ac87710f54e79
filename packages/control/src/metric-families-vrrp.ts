import { label, type MetricFamily, type Sample } from './metric-families.ts'
import type { Status, VrrpInstanceStatus } from './model.ts'

const seconds = (milliseconds: number): number => milliseconds / 1000
const states = ['init', 'backup', 'master', 'fault', 'stopped'] as const

/** A family of the vrrp process; nothing without one. */
function ofProcess(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: (vrrp: NonNullable<Status['vrrp']>) => number,
  unit?: string,
): MetricFamily {
  return {
    name: `ipvs_director_vrrp_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples({ vrrp }) {
      if (vrrp !== undefined) yield { labels: '', value: value(vrrp) }
    },
  }
}

/** A family of VRRP instances; `more` gives several samples for one, each with a label of its own. */
function perInstance(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: (instance: VrrpInstanceStatus) => number | undefined | Iterable<Sample>,
  unit?: string,
): MetricFamily {
  return {
    name: `ipvs_director_vrrp_instance_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples({ vrrp }) {
      for (const instance of vrrp?.instances ?? []) {
        const where = label('vrrp_instance', instance.name)
        const found = value(instance)
        if (found === undefined) yield undefined
        else if (typeof found === 'number') yield { labels: where, value: found }
        else for (const { labels, value: one } of found) yield { labels: `${where},${labels}`, value: one }
      }
    },
  }
}

const counter = (name: string, help: string, count: (of: VrrpInstanceStatus['counters']) => number): MetricFamily =>
  perInstance(name, 'counter', help, ({ counters }) => count(counters))

/** VRRP: its process, its instances, its sync groups. */
export const vrrpFamilies: readonly MetricFamily[] = [
  {
    name: 'ipvs_director_vrrp_up',
    type: 'gauge',
    help: '0 while the vrrp process does not answer; absent where there is none.',
    *samples({ vrrp, vrrpSilent }) {
      if (vrrp !== undefined || vrrpSilent !== undefined) yield { labels: '', value: vrrp === undefined ? 0 : 1 }
    },
  },
  ofProcess('restarts', 'counter', 'How often the vrrp process had to be started again.', ({ restarts }) => restarts),
  ofProcess('loop_lag_seconds', 'gauge', 'How late its event loop was on average.', ({ lag }) => seconds(lag.mean), 'seconds'), // prettier-ignore
  ofProcess('worst_loop_lag_seconds', 'gauge', 'How late its event loop was at worst.', ({ lag }) => seconds(lag.worst), 'seconds'), // prettier-ignore
  perInstance('state', 'gauge', '1 for the state it has, 0 for the others.', ({ state }) =>
    states.map((each) => ({ labels: label('state', each), value: each === state ? 1 : 0 })),
  ),
  perInstance('state_change_time_seconds', 'gauge', 'When it got its state, since 1970.', ({ since }) => seconds(since), 'seconds'), // prettier-ignore
  perInstance('priority', 'gauge', 'Effective priority.', ({ priority }) => priority.effective),
  perInstance('base_priority', 'gauge', 'Priority as configured.', ({ priority }) => priority.base),
  perInstance('faults', 'gauge', 'Reasons for which it is in fault.', ({ faults }) => faults.length),
  perInstance('rival', 'gauge', '1 while another master goes on beside us: split brain.', ({ rival }) => (rival === undefined ? 0 : 1)), // prettier-ignore
  perInstance('claimed', 'gauge', '1 while another machine says it has one of our addresses.', ({ claim }) => (claim === undefined ? 0 : 1)), // prettier-ignore
  perInstance('held', 'gauge', '1 while it is kept from being master by hand.', ({ held, yielding }) => (held || yielding ? 1 : 0)), // prettier-ignore
  perInstance('master_heard_ago_seconds', 'gauge', 'Since when the master was not heard; absent while there is none.', ({ master }) => master && seconds(master.heardAgo), 'seconds'), // prettier-ignore
  perInstance('master_down_interval_seconds', 'gauge', 'Silence after which it takes over.', ({ masterDownInterval }) => seconds(masterDownInterval), 'seconds'), // prettier-ignore
  perInstance('lease_left_seconds', 'gauge', 'Until the kernel drops the addresses unless they are renewed.', ({ leaseLeft }) => (leaseLeft === undefined ? undefined : seconds(leaseLeft)), 'seconds'), // prettier-ignore
  counter('became_master', 'How often it became master.', ({ becameMaster }) => becameMaster),
  counter('released_master', 'How often it ceased to be master.', ({ releasedMaster }) => releasedMaster),
  counter('adverts_sent', 'Advertisements sent.', ({ advertsSent }) => advertsSent),
  counter('adverts_received', 'Advertisements received and believed.', ({ advertsReceived }) => advertsReceived),
  counter('priority_zero_sent', 'Advertisements of priority 0 sent.', ({ priorityZeroSent }) => priorityZeroSent),
  counter('priority_zero_received', 'Advertisements of priority 0 received.', ({ priorityZeroReceived }) => priorityZeroReceived), // prettier-ignore
  counter('send_errors', 'Advertisements the kernel did not take.', ({ sendErrors }) => sendErrors),
  perInstance('adverts_rejected', 'counter', 'Advertisements that were not believed, by reason.', ({ counters }) =>
    Object.entries(counters.rejected).map(([reason, value]) => ({ labels: label('reason', reason), value })),
  ),
  {
    name: 'ipvs_director_vrrp_group_state',
    type: 'gauge',
    help: 'State of a sync group: 1 for the one it has, 0 for the others.',
    *samples({ vrrp }) {
      for (const { name, state } of vrrp?.groups ?? []) {
        for (const each of ['backup', 'master', 'fault']) {
          yield { labels: `${label('vrrp_group', name)},${label('state', each)}`, value: each === state ? 1 : 0 }
        }
      }
    },
  },
]
