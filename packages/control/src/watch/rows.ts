import type { ServerStatus, Status, VirtualServerStatus } from '../model.ts'

/** A line that can be chosen: a virtual server, or a real server under it. */
export interface ListRow {
  /** The same from one picture to the next. */
  readonly key: string
  readonly service: VirtualServerStatus
  readonly server: ServerStatus | undefined
}

/** More real servers than this are not all shown at once: only those of opened virtual servers, and those not up. */
const shownWhole = 40

/** What a row is known by. */
export const rowKey = (service: string, server?: string): string =>
  server === undefined ? service : `${service} ${server}`

/**
 * The rows of the list, in the order of the configuration. `toggled`: virtual servers that are open where others are closed,
 * or the other way round. In a closed one only the servers that are not up are there.
 */
export function listRows({ virtualServers }: Status, toggled: ReadonlySet<string>): ListRow[] {
  const servers = virtualServers.reduce((sum, service) => sum + service.servers.length, 0)
  const usuallyOpen = servers <= shownWhole
  return virtualServers.flatMap((service): ListRow[] => {
    const open = toggled.has(service.name) !== usuallyOpen
    const shown = open ? service.servers : service.servers.filter(({ state }) => state !== 'up')
    return [
      { key: rowKey(service.name), service, server: undefined },
      ...shown.map((server) => ({ key: rowKey(service.name, server.name), service, server })),
    ]
  })
}
