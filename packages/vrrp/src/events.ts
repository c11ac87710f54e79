import type { Address } from '@ipvs-director/core'
import type { RejectReason } from './rejection.ts'
import type { AlarmKind, MasterReason } from './state.ts'

/** keepalived's words for states, as its scripts and pipes expect them. */
export type NotifyState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED'

/** What happened, in the order it happened. Times are wall clock, milliseconds since 1970. */
export type VrrpEvent =
  | {
      readonly type: 'instance'
      readonly name: string
      readonly state: NotifyState
      /** Before; undefined at the start. */
      readonly from: NotifyState | undefined
      readonly why: string
      /** Effective priority. */
      readonly priority: number
      readonly group: string | undefined
      /** Scripts, pipes and mail hear of it. False: its group already has that state. */
      readonly notify: boolean
      /** Number of its interface, our address there, and why it became master last; for SNMP. */
      readonly interfaceIndex?: number | undefined
      readonly own?: Address | undefined
      readonly masterReason?: MasterReason
      readonly at: number
    }
  | {
      readonly type: 'group'
      readonly name: string
      readonly state: NotifyState
      readonly from: NotifyState | undefined
      readonly why: string
      readonly at: number
    }
  /** The effective priority of an instance that is master or backup changed. */
  | {
      readonly type: 'priority'
      readonly name: string
      readonly state: NotifyState | undefined
      readonly from: number
      readonly to: number
      readonly at: number
    }
  /** A master heard a lower priority. */
  | {
      readonly type: 'rxLowerPriority'
      readonly name: string
      readonly source: string
      readonly priority: number
      /** Our own effective priority. */
      readonly own: number
      readonly at: number
    }
  /** An advertisement was not believed; of each reason one in a second at most. Only SNMP hears of it. */
  | {
      readonly type: 'rejected'
      readonly name: string
      readonly reason: RejectReason
      readonly source: string
      readonly interfaceIndex: number | undefined
      readonly at: number
    }
  | {
      readonly type: 'alarm'
      readonly name: string
      readonly kind: AlarmKind
      readonly text: string
      readonly at: number
    }
  | {
      readonly type: 'calm'
      readonly name: string
      readonly kind: AlarmKind
      readonly text: string
      readonly at: number
    }
