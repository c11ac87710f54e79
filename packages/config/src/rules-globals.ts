import { parseAddress } from '@ipvs-director/core'
import type { VirtualServer } from './config.ts'
import type { Remarks } from './diagnostics.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'
import type { VrrpInstanceText } from './grammar/vrrp.ts'
import { placeOfKeyword, type Read, written } from './read.ts'
import { placeOf } from './statement.ts'
import { isNoHost } from './vrrp/rules-addresses.ts'

/** Rules about global_defs: settings that cannot work together. */
export function globalRules(
  globals: (GlobalDefsText & Read) | undefined,
  instances: readonly VrrpInstanceText[],
  remarks: Remarks,
): void {
  if (globals === undefined) return
  const followed = globals.lvsSyncDaemon?.inst ?? globals.lvsSyncDaemon?.instance
  if (followed !== undefined && !instances.some(({ header }) => header === followed)) {
    const text = `no vrrp_instance is named "${followed}"`
    remarks.add('E040', placeOfKeyword(globals, 'lvs_sync_daemon'), text)
  }
  const host = globals.smtpServer === undefined ? undefined : parseAddress(globals.smtpServer.host)
  if (host !== undefined && isNoHost(host)) {
    remarks.add('W055', placeOfKeyword(globals, 'smtp_server'), `${host} is no address of a host`)
  }
  const list = globals[written].body?.find((child) => child.keyword === 'notification_email')
  if (list?.body?.length === 0) remarks.add('W084', placeOf(list), 'notification_email is empty')
  if (globals.notificationEmail.length > 0 && globals.smtpServer === undefined) {
    remarks.add('N011', placeOfKeyword(globals, 'notification_email'), 'no mail is sent without an smtp_server')
  }
}

/** A VIP of this machine that is also a real server: packets for it would stay here. */
export function vipRules(
  instances: readonly VrrpInstanceText[],
  servers: readonly VirtualServer[],
  remarks: Remarks,
): void {
  const vips = new Map<string, string>()
  for (const { header, virtualIpaddress, virtualIpaddressExcluded } of instances) {
    for (const { address } of [...virtualIpaddress, ...virtualIpaddressExcluded]) vips.set(address.address, header)
  }
  if (vips.size === 0) return
  for (const { realServers, target } of servers) {
    for (const { address, place } of realServers) {
      const instance = vips.get(address)
      if (instance === undefined || (target.kind === 'address' && target.address === address)) continue
      remarks.add('W051', place, `${address} is also an address of vrrp_instance ${instance}`)
    }
  }
}
