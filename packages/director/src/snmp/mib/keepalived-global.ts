/** KEEPALIVED-MIB (enterprises.9586.100.5), `global`: version, router, mail, settings. Read-only. */
import { parseAddress } from '@ipvs-director/core'
import { oid, type Oid } from '../oid.ts'
import { table, type Node } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, text, truth, type SnmpValue } from '../value.ts'
import { routerOf, type SnmpSnapshot } from './snapshot.ts'

export const keepalivedMib = oid('1.3.6.1.4.1.9586.100.5')
export const under = (...numbers: readonly number[]): Oid => [...keepalivedMib, ...numbers]

/** Yes, no, or as the blocks say. */
const wish = (value: boolean | undefined): SnmpValue => integer(value === undefined ? 3 : value ? 1 : 2)
/** InetAddressType of a name that is not looked up. */
const dns = 16

export function globalNodes(snapshot: SnmpSnapshot): Node[] {
  const { config, status } = snapshot
  const { globals, snmp, vrrp, process } = config
  const { shown } = snmp
  const scalar = (numbers: readonly number[], value: SnmpValue | undefined): Node => ({ kind: 'scalar', oid: under(1, ...numbers), value }) // prettier-ignore
  const mail = globals.alarms?.mail
  const server = mail && parseAddress(mail.host)
  const emails = mail?.to.map((address, i) => ({ index: [i + 1], row: address })) ?? []
  return [
    scalar([1], text(`ipvs-director ${status.version}`)),
    scalar([2], text(routerOf(config))),
    scalar([3, 1], mail && (server === undefined ? integer(dns) : addressType(server))),
    scalar([3, 2], mail && (server === undefined ? text(mail.host) : addressOctets(server))),
    scalar([3, 3], mail && gauge(Math.trunc(mail.timeout / 1000))),
    scalar([3, 4], mail?.from === undefined ? undefined : text(mail.from)),
    table<string>(under(1, 3, 5, 1), [{ number: 2, value: text }], emails),
    scalar([3, 6], mail && gauge(mail.port)),
    scalar([3, 7], truth(vrrp.globals.mailFaults)),
    scalar([3, 8], wish(shown?.smtpAlert)),
    scalar([3, 9], wish(shown?.smtpAlertVrrp)),
    scalar([3, 10], wish(shown?.smtpAlertChecker)),
    scalar([4], truth(snmp.traps)),
    // netlink, polling
    scalar([5], integer(shown?.linkbeatPolling === true ? 2 : 1)),
    scalar([6], truth(globals.lvsFlush)),
    scalar([7], truth(true)),
    scalar([8], text(process.netNamespace ?? '')),
    scalar([9], truth(false)),
    scalar([10], truth(vrrp.globals.dynamicInterfaces !== false)),
    scalar([11], integer(globals.lvsFlushOnStop === 'all' ? 1 : globals.lvsFlushOnStop === 'VS' ? 3 : 2)),
    scalar([12], truth(shown?.v3ChecksumAsV2 ?? false)),
  ]
}
