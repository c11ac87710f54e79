import type { IpvsClient, IpvsError } from 'ipvs-netlink'
import { memoryIpvs } from 'ipvs-netlink'

/** What stands in the place of IPVS's version while it is not there. */
export const absentVersion = 'not there'

/**
 * IPVS on a kernel that has none, for a file without virtual servers: there is nothing to read, and the first thing to
 * write tries again, as somebody may have loaded the module meanwhile (a reload brings virtual servers). `absent` is how
 * opening failed; `open` rejects with such an error again, or resolves to the client that is used from then on.
 */
export function absentIpvs(absent: IpvsError, open: () => Promise<IpvsClient>): IpvsClient {
  const empty = memoryIpvs()
  let there: IpvsClient | undefined
  let why = absent
  const reader = (): IpvsClient => there ?? empty

  async function writer(): Promise<IpvsClient> {
    try {
      return (there ??= await open())
    } catch (error) {
      why = error as IpvsError
      throw error
    }
  }

  return {
    async execute(commands) {
      if (commands.length === 0) return []
      try {
        return await (await writer()).execute(commands)
      } catch {
        return commands.map(() => why)
      }
    },
    services: () => reader().services(),
    service: (key) => reader().service(key),
    destinations: (service) => reader().destinations(service),
    table: () => reader().table(),
    audit: (expected) => reader().audit(expected),
    glance: () => reader().glance(),
    zero: (service) => reader().zero(service),
    timeouts: () => reader().timeouts(),
    setTimeouts: async (timeouts) => (await writer()).setTimeouts(timeouts),
    daemons: () => reader().daemons(),
    startDaemon: async (daemon) => (await writer()).startDaemon(daemon),
    stopDaemon: (daemon) => reader().stopDaemon(daemon),
    info: async () => (there === undefined ? { ...(await empty.info()), version: absentVersion } : there.info()),
    close() {
      there?.close()
      empty.close()
    },
  }
}
