import type { IpvsClient } from 'ipvs-netlink'

/**
 * The kernel's table to look at: reads are carried out, writes are taken for done and go nowhere. What nobody can write
 * through cannot disturb the keepalived beside us, whatever the rest of the program does.
 */
export function lookingOnly(ipvs: IpvsClient): IpvsClient {
  const nothing = async (): Promise<void> => undefined
  return {
    services: () => ipvs.services(),
    service: (key) => ipvs.service(key),
    destinations: (service) => ipvs.destinations(service),
    table: () => ipvs.table(),
    audit: (expected) => ipvs.audit(expected),
    glance: () => ipvs.glance(),
    timeouts: () => ipvs.timeouts(),
    daemons: () => ipvs.daemons(),
    info: () => ipvs.info(),
    close: () => {
      ipvs.close()
    },
    execute: async (commands) => commands.map(() => undefined),
    zero: nothing,
    setTimeouts: nothing,
    startDaemon: nothing,
    stopDaemon: nothing,
  }
}
