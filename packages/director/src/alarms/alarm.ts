import type { CheckerConfig, RealServer, VirtualServer } from '@ipvs-director/config'
import type { Event } from '@ipvs-director/control'
import type { Notification, VrrpEvent } from '@ipvs-director/vrrp'

/** Something that people or programs outside want to hear of. Times are wall clock, milliseconds since 1970. */
export type Alarm =
  /** A real server turned, or its first verdict was bad news. */
  | {
      readonly kind: 'server'
      readonly service: VirtualServer
      readonly server: RealServer
      /** Whose verdict it was. */
      readonly checker: CheckerConfig | undefined
      readonly up: boolean
      readonly class: string
      readonly reason: string
      readonly serversUp?: ServersUp
      readonly at: number
    }
  /** A virtual server gained or lost its quorum. `threshold`: what `aliveWeight` was measured against. */
  | {
      readonly kind: 'quorum'
      readonly service: VirtualServer
      readonly up: boolean
      readonly threshold: number
      readonly aliveWeight: number
      readonly serversUp?: ServersUp
      readonly at: number
    }
  /** A real server that was alive is removed by a reload, or by the end of the program. */
  | { readonly kind: 'server-gone'; readonly service: VirtualServer; readonly server: RealServer; readonly why: Going; readonly quiet?: true; readonly serversUp?: ServersUp; readonly at: number } // prettier-ignore
  /** The same of a virtual server that had its quorum. */
  | {
      readonly kind: 'service-gone'
      readonly service: VirtualServer
      readonly why: Going
      readonly quiet?: true
      readonly serversUp?: ServersUp
      readonly at: number
    }
  /** VRRP, with what keepalived would do on it (`notificationsOf`); scripts among them are not ours to run. */
  | { readonly kind: 'vrrp'; readonly event: VrrpEvent; readonly notifications: readonly Notification[] }
  /** `fifo_write_vrrp_states_on_reload`: lines for the VRRP pipes, and nothing else. */
  | { readonly kind: 'vrrp-states'; readonly lines: readonly string[] }
  /** Anything else of the event log: `reload.refused`, `prober.trouble`, `drift`. Server, quorum and VRRP are left out. */
  | { readonly kind: 'event'; readonly event: Event }

/** Counts the real servers of the service that are up, when it is asked at once; missing: nobody counted. */
export type ServersUp = () => number

/** Of what ends with the program, but without `omega`: only SNMP hears of it, as with keepalived. */
export const isQuiet = (alarm: Alarm): boolean => 'quiet' in alarm

export type Going = 'Removing' | 'Shutting down'

/** The port through which the director tells. */
export type TellAlarm = (alarm: Alarm) => void
