import type { Script, VrrpNotify } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import type { VrrpEvent } from './events.ts'
import { notificationsOf } from './notify.ts'
import { aGroup, anInstance, aPlan } from './testing/configs.ts'

const script = (name: string): Script => ({ words: [name], place: { file: 'x', line: 1, column: 1 } })
const notify: VrrpNotify = {
  master: script('/master'),
  backup: script('/backup'),
  fault: script('/fault'),
  stop: script('/stop'),
  any: script('/any'),
  priorityChanges: true,
  smtpAlert: true,
}
const config = aPlan(
  [anInstance({ notify, notifyDeleted: script('/deleted'), notifyMasterRxLowerPriority: script('/lower') })],
  {
    syncGroups: [aGroup(['VI_1'], { notify })],
  },
).vrrp
const event = (state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED'): VrrpEvent => ({
  type: 'instance',
  name: 'VI_1',
  state,
  from: undefined,
  why: 'x',
  priority: 100,
  group: undefined,
  notify: true,
  at: 0,
})
const told = (what: VrrpEvent, given = config): string[] =>
  notificationsOf(what, given).map((each) =>
    each.do === 'script'
      ? [...each.script.words, ...each.arguments].join(' ')
      : each.do === 'fifo'
        ? each.line
        : `${each.subject}: ${each.body}`,
  )

/** reference/vrrp.md §8: the specific script, the general one, the pipes, mail. */
test.for([
  ['MASTER', '/master', 'Entering MASTER state: => VRRP Instance is now owning VRRP VIPs <='],
  ['BACKUP', '/backup', 'Entering BACKUP state: => VRRP Instance is no longer owning VRRP VIPs <='],
  ['FAULT', '/fault', 'Entering FAULT state: => VRRP Instance is no longer owning VRRP VIPs <='],
  ['STOP', '/stop', 'Stopping: => VRRP Instance stopping <='],
  ['DELETED', '/deleted', 'Deleted: => VRRP Instance is no longer owning VRRP VIPs <='],
] as const)('instance %s', ([state, specific, mail]) => {
  expect(told(event(state))).toEqual([
    specific,
    `/any INSTANCE VI_1 ${state} 100`,
    `INSTANCE "VI_1" ${state} 100`,
    `VRRP Instance VI_1 - ${mail}`,
  ])
})

test('a group has priority 0', () => {
  expect(told({ type: 'group', name: 'G1', state: 'MASTER', from: undefined, why: 'x', at: 0 })).toEqual([
    '/master',
    '/any GROUP G1 MASTER 0',
    'GROUP "G1" MASTER 0',
    'VRRP Group G1 - Entering MASTER state: => All VRRP group instances are now in MASTER state <=',
  ])
})

test('no_email_faults; what its group already told; priority changes; lower priorities', () => {
  const quiet = { ...config, globals: { ...config.globals, mailFaults: false } }
  expect(told(event('FAULT'), quiet)).toHaveLength(3)
  expect(told({ ...event('MASTER'), notify: false } as VrrpEvent)).toEqual([])
  expect(told({ type: 'priority', name: 'VI_1', state: 'MASTER', from: 100, to: 80, at: 0 })).toEqual([
    'INSTANCE "VI_1" MASTER_PRIORITY 80',
  ])
  expect(told({ type: 'priority', name: 'VI_1', state: 'FAULT', from: 100, to: 80, at: 0 })).toEqual([])
  expect(told({ type: 'rxLowerPriority', name: 'VI_1', source: '192.0.2.1', priority: 50, own: 100, at: 0 })).toEqual([
    '/lower',
    'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100',
  ])
  expect(told({ type: 'alarm', name: 'VI_1', kind: 'rival', text: 'x', at: 0 })).toEqual([])
})

const bare = aPlan([anInstance({ notifyDeleted: true })]).vrrp

test('notify_deleted alone: told, and nothing is run', () => {
  expect(told(event('DELETED'), bare)).toEqual(['INSTANCE "VI_1" DELETED 100'])
})
