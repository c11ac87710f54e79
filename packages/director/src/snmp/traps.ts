import type { Alarm } from '../alarms/alarm.ts'
import { oid, type Oid } from './oid.ts'
import { stateNumbers } from './mib/keepalived-vrrp.ts'
import { serverIdentity, serviceIdentity, under } from './mib/keepalived.ts'
import { instanceRows, routerOf, serverRows, serviceRows, type SnmpSnapshot } from './mib/snapshot.ts'
import { vrrpMib, vrrpv3Mib } from './mib/vrrp-rfc.ts'
import type { Column } from './tree.ts'
import { gauge, integer, octets, text, type SnmpValue, type VarBind } from './value.ts'
import { addressBytes } from '@ipvs-director/core'

const snmpTrapOid = oid('1.3.6.1.6.3.1.1.4.1.0')
const notification = (trap: Oid): VarBind => ({ name: snmpTrapOid, value: { type: 'oid', value: trap } })
const bind = (name: Oid, value: SnmpValue): VarBind => ({ name, value })

/** The notifications of an alarm, as the state is now; those the configuration does not want are left out. */
export function notificationsOf(alarm: Alarm, snapshot: SnmpSnapshot): VarBind[][] {
  const { snmp } = snapshot.config
  switch (alarm.kind) {
    case 'server':
    case 'server-gone':
      return snmp.checker ? [serverTrap(alarm, snapshot)] : []
    case 'quorum':
    case 'service-gone':
      return snmp.checker ? [quorumTrap(alarm, snapshot)] : []
    case 'vrrp':
      return [...(snmp.vrrp ? vrrpTraps(alarm, snapshot) : []), ...newMasterTraps(alarm, snapshot)]
    case 'vrrp-states':
    case 'event':
      return []
  }
}

type OfServer = Extract<Alarm, { kind: 'server' | 'server-gone' }>
type OfService = Extract<Alarm, { kind: 'quorum' | 'service-gone' }>
type OfVrrp = Extract<Alarm, { kind: 'vrrp' }>

function cells<Row>(table: Oid, columns: readonly Column<Row>[], index: Oid, row: Row): VarBind[] {
  return columns.flatMap(({ number, value }) => {
    const found = value(row)
    return found === undefined ? [] : [bind([...table, number, ...index], found)]
  })
}

const router = (snapshot: SnmpSnapshot): VarBind => bind(under(1, 2, 0), text(routerOf(snapshot)))
const serviceTable = under(3, 3, 1)
const serverTable = under(3, 4, 1)

/** Number and columns of the service, and how many of its servers are up. */
function serviceBinds(
  snapshot: SnmpSnapshot,
  name: string,
): { readonly index: Oid; readonly binds: VarBind[]; readonly counts: VarBind[] } {
  // prettier-ignore
  const rows = serviceRows(snapshot)
  const at = rows.findIndex(({ config }) => config.name === name)
  const row = rows[at]
  const index = [at + 1]
  if (row === undefined) return { index, binds: [], counts: [] }
  const up = row.status.servers.filter(({ state }) => state === 'up').length
  const counts = [bind([...serviceTable, 21, ...index], gauge(up)), bind([...serviceTable, 20, ...index], gauge(row.config.realServers.length))] // prettier-ignore
  return { index, binds: cells(serviceTable, serviceIdentity, index, row), counts }
}

/** realServerStateChange. */
function serverTrap(alarm: OfServer, snapshot: SnmpSnapshot): VarBind[] {
  const { index, binds, counts } = serviceBinds(snapshot, alarm.service.name)
  const row = serviceRows(snapshot).find(({ config }) => config.name === alarm.service.name)
  const at = alarm.service.realServers.indexOf(alarm.server)
  const server = row === undefined ? undefined : serverRows(row)[at]
  const own = [...index, at + 1]
  const identity = server === undefined ? [] : cells(serverTable, serverIdentity.slice(0, 3), own, server)
  const up = alarm.kind === 'server' && alarm.up
  const status = bind([...serverTable, 6, ...own], integer(up ? 1 : 2))
  return [notification(under(3, 5, 0, 1)), ...identity, status, ...binds, ...counts, router(snapshot)]
}

/** virtualServerQuorumStateChange. */
function quorumTrap(alarm: OfService, snapshot: SnmpSnapshot): VarBind[] {
  const { index, binds, counts } = serviceBinds(snapshot, alarm.service.name)
  const state = alarm.kind === 'service-gone' ? 3 : alarm.up ? 1 : 2
  const quorum = [
    bind([...serviceTable, 23, ...index], integer(state)),
    bind([...serviceTable, 22, ...index], gauge(alarm.service.quorum)),
  ]
  return [notification(under(3, 5, 0, 2)), ...binds, ...quorum, ...counts, router(snapshot)]
}

const notifyStates = { MASTER: stateNumbers.master, BACKUP: stateNumbers.backup, FAULT: stateNumbers.fault, STOP: stateNumbers.stopped, DELETED: 6 } as const // prettier-ignore

/** vrrpInstanceStateChange, vrrpSyncGroupStateChange; our own for alarms. */
function vrrpTraps({ event }: OfVrrp, snapshot: SnmpSnapshot): VarBind[][] {
  if (event.type === 'alarm' || event.type === 'calm') return [alarmTrap(event, snapshot)]
  if (event.type !== 'instance' && event.type !== 'group') return []
  const state = integer(notifyStates[event.state])
  const { instances, syncGroups } = snapshot.config.vrrp
  if (event.type === 'group') {
    const index = syncGroups.findIndex(({ name }) => name === event.name) + 1
    return [[notification(under(2, 10, 0, 1)), bind(under(2, 1, 1, 2, index), text(event.name)), bind(under(2, 1, 1, 3, index), state), router(snapshot)]] // prettier-ignore
  }
  const index = instances.findIndex(({ name }) => name === event.name) + 1
  const initial = instances[index - 1]?.initialState === 'MASTER' ? stateNumbers.master : stateNumbers.backup
  return [
    [
      notification(under(2, 10, 0, 2)),
      bind(under(2, 3, 1, 2, index), text(event.name)),
      bind(under(2, 3, 1, 4, index), state),
      bind(under(2, 3, 1, 5, index), integer(initial)),
      router(snapshot),
    ],
  ]
}

/**
 * No MIB has a notification for a split brain, and we have no enterprise number: this is in net-snmp's arc for such cases
 * (netSnmpPlaypen), under VRRP's protocol number. Notifications 1: an alarm, 2: it is over; objects 1: its kind, 2: its text.
 */
const alarmMib = oid('1.3.6.1.4.1.8072.9999.9999.112')

type OfAlarm = Extract<OfVrrp['event'], { type: 'alarm' | 'calm' }>

function alarmTrap({ type, name, kind, text: words }: OfAlarm, snapshot: SnmpSnapshot): VarBind[] {
  const index = snapshot.config.vrrp.instances.findIndex((each) => each.name === name) + 1
  return [
    notification([...alarmMib, 0, type === 'alarm' ? 1 : 2]),
    bind(under(2, 3, 1, 2, index), text(name)),
    bind([...alarmMib, 1, 0], text(kind)),
    bind([...alarmMib, 2, 0], text(words)),
    router(snapshot),
  ]
}

/** vrrpTrapNewMaster (RFC 2787), vrrpv3NewMaster (RFC 6527). */
function newMasterTraps({ event }: OfVrrp, snapshot: SnmpSnapshot): VarBind[][] {
  if (event.type !== 'instance' || event.state !== 'MASTER') return []
  const { snmp } = snapshot.config
  const row = instanceRows(snapshot).find(({ config }) => config.name === event.name)
  if (row?.interfaceIndex === undefined) return []
  const { virtualRouterId, version, family, sourceAddress } = row.config
  const own = sourceAddress === undefined ? new Uint8Array(family === 'inet' ? 4 : 16) : addressBytes(sourceAddress)
  if (version === 2) {
    const name = [...vrrpMib, 1, 3, 1, 7, row.interfaceIndex, virtualRouterId]
    return snmp.rfcV2 ? [[notification([...vrrpMib, 0, 1]), bind(name, { type: 'ipAddress', value: own })]] : []
  }
  const index = [row.interfaceIndex, virtualRouterId, family === 'inet' ? 1 : 2]
  const master = bind([...vrrpv3Mib, 1, 1, 1, 1, 3, ...index], octets(own))
  // priority(1), or masterNoResponse(3): the one before was not heard any more.
  const reason = bind([...vrrpv3Mib, 1, 2, 5, 1, 2, ...index], integer(event.from === 'BACKUP' ? 3 : 1))
  return snmp.rfcV3 ? [[notification([...vrrpv3Mib, 0, 1]), master, reason]] : []
}
