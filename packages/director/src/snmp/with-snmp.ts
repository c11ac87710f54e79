import { isQuiet } from '../alarms/alarm.ts'
import type { Alarms } from '../alarms/alarms.ts'
import type { Snmp } from './snmp.ts'

/** Alarms that go out by SNMP too, and whose life the sub-agent shares. */
export function withSnmp(
  alarms: Pick<Alarms, 'apply' | 'tell' | 'stop'>,
  snmp: Snmp,
): Pick<Alarms, 'apply' | 'tell' | 'stop'> {
  return {
    apply(config) {
      alarms.apply(config)
      snmp.apply(config)
    },
    tell(alarm) {
      if (!isQuiet(alarm)) alarms.tell(alarm)
      snmp.tell(alarm)
    },
    async stop(limit) {
      await alarms.stop(limit)
      snmp.stop()
    },
  }
}
