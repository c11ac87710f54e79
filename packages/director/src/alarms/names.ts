import type { RealServer, VirtualServer } from '@ipvs-director/config'
import type { Address } from '@ipvs-director/core'

/** How keepalived names services and servers on its FIFOs and in its mail (reference/checkers.md §6). */

const endpoint = (address: Address, protocol: string, port: number): string => `[${address}]:${protocol}:${port}`

/** `[192.0.2.1]:tcp:80`, `FWM 7`, `[web]:0`; `among`: all services, to count those of the same group. */
export function serviceLabel(service: VirtualServer, among: readonly VirtualServer[]): string {
  const { target } = service
  switch (target.kind) {
    case 'address':
      return endpoint(target.address, service.protocol, target.port)
    case 'fwmark':
      return `FWM ${target.fwmark}`
    case 'group': {
      const sharing = among.filter((each) => each.target.kind === 'group' && each.target.group === target.group)
      return `[${target.group}]:${Math.max(
        0,
        sharing.findIndex(({ name }) => name === service.name),
      )}`
    }
  }
}

/** `[10.0.0.2]:tcp:80`. */
export const serverLabel = (server: RealServer, service: VirtualServer): string =>
  endpoint(server.address, service.protocol, server.port)
