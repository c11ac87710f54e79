import { readSetting } from '@ipvs-director/linux'

/**
 * What the kernel does with the connections of a real server whose entry is taken out of the table, as is the case when it has
 * failed without inhibit_on_failure (net.ipv4.vs.expire_nodest_conn, net/netfilter/ipvs/ip_vs_core.c). It is the machine's choice,
 * and stands in the log of every start; undefined where there is no IPVS.
 */
export function removedConnections(setting = readSetting('ipv4/vs/expire_nodest_conn')): string | undefined {
  if (setting === undefined) return undefined
  const what = setting === '0' ? 'are kept, unanswered, until they time out' : 'end with their next packet'
  return `Connections of failed real servers ${what} (net.ipv4.vs.expire_nodest_conn = ${setting})`
}
