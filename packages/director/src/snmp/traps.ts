import { addressBytes, parseAddress } from '@ipvs-director/core'
import type { Config, VrrpInstance } from '@ipvs-director/config'
import type { Alarm } from '../alarms/alarm.ts'
import { keepalivedMib, under } from './mib/keepalived-global.ts'
import { serviceIdentity } from './mib/keepalived-services.ts'
import { initialState, stateNumbers } from './mib/keepalived-vrrp.ts'
import { routerOf } from './mib/snapshot.ts'
import { masterReasons, protocolErrors, vrrpMib, vrrpv3Mib } from './mib/vrrp-rfc.ts'
import { oid, type Oid } from './oid.ts'
import {
  addressOctets,
  addressType,
  gauge,
  integer,
  octets,
  text,
  truth,
  type SnmpValue,
  type VarBind,
} from './value.ts'

const snmpTrapOid = oid('1.3.6.1.6.3.1.1.4.1.0')
const notification = (trap: Oid): VarBind => ({ name: snmpTrapOid, value: { type: 'oid', value: trap } })
const bind = (name: Oid, value: SnmpValue): VarBind => ({ name, value })

/**
 * The notifications of an alarm; those the configuration does not want are left out. They are keepalived's byte for byte:
 * the columns of KEEPALIVED-MIB come without an index, those of the RFCs with one.
 */
export function notificationsOf(alarm: Alarm, config: Config): VarBind[][] {
  const { snmp } = config
  switch (alarm.kind) {
    case 'server':
    case 'server-gone':
      return snmp.checker ? [serverTrap(alarm, config)] : []
    case 'quorum':
    case 'service-gone':
      return snmp.checker ? [quorumTrap(alarm, config)] : []
    case 'vrrp':
      return [...(snmp.vrrp ? vrrpTraps(alarm, config) : []), ...rfcTraps(alarm, config)]
    case 'vrrp-states':
    case 'event':
      return []
  }
}

type OfServer = Extract<Alarm, { kind: 'server' | 'server-gone' }>
type OfService = Extract<Alarm, { kind: 'quorum' | 'service-gone' }>
type OfVrrp = Extract<Alarm, { kind: 'vrrp' }>
type OfInstance = Extract<OfVrrp['event'], { type: 'instance' }>

const router = (config: Config): VarBind => bind([...keepalivedMib, 1, 2, 0], text(routerOf(config)))
const serviceColumn = (number: number): Oid => under(3, 3, 1, number)
const serverColumn = (number: number): Oid => under(3, 4, 1, number)

/** What the service is; its protocol is tcp, or not, as keepalived says it. */
const identity = ({ service }: OfServer | OfService): VarBind[] => [
  ...serviceIdentity.flatMap(({ number, value }) => {
    const found = value({ config: service })
    return found === undefined ? [] : [bind(serviceColumn(number), found)]
  }),
  bind(serviceColumn(8), truth(service.target.kind !== 'fwmark' && service.protocol === 'tcp')),
]

const counts = ({ service, serversUp }: OfServer | OfService): VarBind[] => [
  bind(serviceColumn(21), gauge(serversUp?.() ?? service.realServers.length)),
  bind(serviceColumn(20), gauge(service.realServers.length)),
]

/** realServerStateChange. */
function serverTrap(alarm: OfServer, config: Config): VarBind[] {
  const { address, port } = alarm.server
  return [
    notification(under(3, 5, 0, 1)),
    bind(serverColumn(3), addressType(address)),
    bind(serverColumn(4), addressOctets(address)),
    bind(serverColumn(5), gauge(port)),
    bind(serverColumn(6), truth(alarm.kind === 'server' && alarm.up)),
    ...identity(alarm),
    ...counts(alarm),
    router(config),
  ]
}

/** virtualServerQuorumStateChange; 3 is stopping. */
function quorumTrap(alarm: OfService, config: Config): VarBind[] {
  return [
    notification(under(3, 5, 0, 2)),
    ...identity(alarm),
    bind(serviceColumn(23), alarm.kind === 'service-gone' ? integer(3) : truth(alarm.up)),
    bind(serviceColumn(22), gauge(alarm.service.quorum)),
    ...counts(alarm),
    router(config),
  ]
}

const notifyStates = { MASTER: stateNumbers.master, BACKUP: stateNumbers.backup, FAULT: stateNumbers.fault, STOP: stateNumbers.stopped, DELETED: 6 } as const // prettier-ignore

const instanceOf = ({ vrrp }: Config, name: string): VrrpInstance | undefined =>
  vrrp.instances.find((each) => each.name === name)

/** vrrpInstanceStateChange, vrrpSyncGroupStateChange; our own for alarms. */
function vrrpTraps({ event }: OfVrrp, config: Config): VarBind[][] {
  switch (event.type) {
    case 'alarm':
    case 'calm':
      return [alarmTrap(event, config)]
    case 'group': {
      const state = integer(notifyStates[event.state])
      return [[notification(under(2, 10, 0, 1)), bind(under(2, 1, 1, 2), text(event.name)), bind(under(2, 1, 1, 3), state), router(config)]] // prettier-ignore
    }
    case 'instance': {
      const instance = instanceOf(config, event.name)
      const initial = instance === undefined ? integer(stateNumbers.backup) : initialState(instance)
      return [
        [
          notification(under(2, 10, 0, 2)),
          bind(under(2, 3, 1, 2), text(event.name)),
          bind(under(2, 3, 1, 4), integer(notifyStates[event.state])),
          bind(under(2, 3, 1, 5), initial),
          router(config),
        ],
      ]
    }
    case 'priority':
    case 'rxLowerPriority':
    case 'rejected':
      return []
  }
}

/**
 * No MIB has a notification for a split brain, and we have no enterprise number: this is in net-snmp's arc for such cases
 * (netSnmpPlaypen), under VRRP's protocol number. Notifications 1: an alarm, 2: it is over; objects 1: its kind, 2: its text.
 */
const alarmMib = oid('1.3.6.1.4.1.8072.9999.9999.112')

type OfAlarm = Extract<OfVrrp['event'], { type: 'alarm' | 'calm' }>

function alarmTrap({ type, name, kind, text: words }: OfAlarm, config: Config): VarBind[] {
  return [
    notification([...alarmMib, 0, type === 'alarm' ? 1 : 2]),
    bind(under(2, 3, 1, 2), text(name)),
    bind([...alarmMib, 1, 0], text(kind)),
    bind([...alarmMib, 2, 0], text(words)),
    router(config),
  ]
}

/** vrrpTrapNewMaster and vrrpTrapAuthFailure (RFC 2787), vrrpv3NewMaster and vrrpv3ProtoError (RFC 6527). */
function rfcTraps({ event }: OfVrrp, config: Config): VarBind[][] {
  if (event.type !== 'instance' && event.type !== 'rejected') return []
  const instance = instanceOf(config, event.name)
  if (instance === undefined || instance.addresses.length === 0) return []
  if (event.type === 'instance') return event.state === 'MASTER' ? newMasterTraps(event, instance, config) : []
  const { version, family, virtualRouterId } = instance
  const index = [event.interfaceIndex ?? 0, virtualRouterId]
  const { reason } = event
  if (config.snmp.rfcV2 && version === 2 && family === 'inet' && isAuthError(reason)) {
    const source = addressBytesOf(event.source)
    return [[
      notification([...vrrpMib, 0, 2]),
      bind([...vrrpMib, 1, 5, ...index], { type: 'ipAddress', value: source }),
      bind([...vrrpMib, 1, 6, ...index], integer(authErrors[reason])),
    ]] // prettier-ignore
  }
  if (config.snmp.rfcV3 && isProtocolError(reason)) {
    const name = [...vrrpv3Mib, 1, 2, 5, 1, 6, ...index, family === 'inet' ? 1 : 2]
    return [[notification([...vrrpv3Mib, 0, 2]), bind(name, integer(protocolErrors[reason]))]]
  }
  return []
}

/** `vrrpTrapAuthErrorType`. */
const authErrors = { authType: 1, authMismatch: 2, authFailure: 3 } as const
const isAuthError = (reason: string): reason is keyof typeof authErrors => reason in authErrors
const isProtocolError = (reason: string): reason is keyof typeof protocolErrors => reason in protocolErrors

function newMasterTraps(event: OfInstance, instance: VrrpInstance, { snmp }: Config): VarBind[][] {
  const { version, family, virtualRouterId, sourceAddress } = instance
  const index = [event.interfaceIndex ?? 0, virtualRouterId]
  const own = event.own ?? sourceAddress
  const bytes = own === undefined ? new Uint8Array(family === 'inet' ? 4 : 16) : addressBytes(own)
  const v2 = [notification([...vrrpMib, 0, 1]), bind([...vrrpMib, 1, 3, 1, 7, ...index], { type: 'ipAddress', value: bytes })] // prettier-ignore
  const type = family === 'inet' ? 1 : 2
  const reason = integer(masterReasons[event.masterReason ?? 'silence'])
  const v3 = [
    notification([...vrrpv3Mib, 0, 1]),
    bind([...vrrpv3Mib, 1, 1, 1, 1, 3, ...index, type], octets(bytes)),
    bind([...vrrpv3Mib, 1, 2, 5, 1, 2, ...index, type], reason),
  ]
  return [...(snmp.rfcV2 && version === 2 && family === 'inet' ? [v2] : []), ...(snmp.rfcV3 ? [v3] : [])]
}

function addressBytesOf(text: string): Uint8Array {
  const address = parseAddress(text)
  return address === undefined ? new Uint8Array(4) : addressBytes(address)
}
