import {
  destinationId,
  diff,
  serviceId,
  tunnelOf,
  type Destination,
  type Service,
  type ServiceSettings,
  type Table,
} from 'ipvs-netlink'

/** One thing that the kernel has otherwise than we would. */
export interface TableDifference {
  /** The service in the kernel's table. */
  readonly service: string
  /** The entry under it; undefined: the service itself. */
  readonly destination: string | undefined
  /** `weight 3`, `no entry`, `no service`, `rr, persistence 50`. */
  readonly kernel: string
  readonly ours: string
}

/** What is the same difference from one look to the next, whatever figures it has. */
export const differenceKey = ({ service, destination }: TableDifference): string => `${service} ${destination ?? ''}`

/**
 * Where the kernel's table is not as we would have it, in its order. A service that only one has is one difference; what
 * it would send to is not counted besides. Read off the commands that would lead from one to the other, so that nothing
 * counts here that we would not write.
 */
export function differencesOf(kernel: Table, ours: Table): TableDifference[] {
  const found: TableDifference[] = []
  const seen = new Set<string>()
  const add = (service: string, destination: string | undefined, has: string, wanted: string): void => {
    seen.add(service)
    found.push({ service, destination, kernel: has, ours: wanted })
  }
  for (const command of diff(kernel, ours, { owned: () => true })) {
    switch (command.do) {
      case 'addService': {
        const service = serviceId(command.key)
        add(service, undefined, 'no service', serviceText(ours.get(service)))
        break
      }
      case 'deleteService': {
        const service = serviceId(command.key)
        add(service, undefined, serviceText(kernel.get(service)), 'no service')
        break
      }
      case 'setService': {
        const service = serviceId(command.key)
        const [has, wanted] = unequal(settingsParts(kernel.get(service)?.settings), settingsParts(command.settings))
        add(service, undefined, has, wanted)
        break
      }
      case 'addDestination':
      case 'setDestination':
      case 'deleteDestination': {
        const service = serviceId(command.service)
        const before = kernel.get(service)
        if (before === undefined) break
        const destination = destinationId(command.destination)
        const [has, wanted] = unequal(
          entryParts(before.destinations.get(destination)),
          command.do === 'deleteDestination' ? entryParts(undefined) : entryParts(command.destination),
        )
        add(service, destination, has, wanted)
        break
      }
      case 'flush':
        break
    }
  }
  return found
}

function serviceText(service: Service | undefined): string {
  if (service === undefined) return 'no service'
  const parts = settingsParts(service.settings)
  return [parts[0], `${service.destinations.size} destinations`].join(', ')
}

function settingsParts(settings: ServiceSettings | undefined): string[] {
  if (settings === undefined) return ['no service']
  const { scheduler, persistence, netmask, engine, onePacket, flag1, flag2, flag3 } = settings
  return [
    scheduler,
    `persistence ${persistence}`,
    `granularity ${netmask}`,
    `engine ${engine ?? 'none'}`,
    onePacket ? 'one packet' : 'not one packet',
    `flags ${[flag1, flag2, flag3].map(Number).join('')}`,
  ]
}

function entryParts(entry: Destination | undefined): string[] {
  if (entry === undefined) return ['no entry']
  const tunnel = tunnelOf(entry)
  return [
    `weight ${entry.weight}`,
    entry.forwarding,
    `thresholds ${entry.upperThreshold} and ${entry.lowerThreshold}`,
    tunnel === undefined ? 'plain' : `${tunnel.type} ${tunnel.port} ${tunnel.checksum}`,
  ]
}

/** The parts in which two differ; the first part alone where one of them is not there. */
function unequal(has: readonly string[], wanted: readonly string[]): [string, string] {
  if (has.length !== wanted.length) return [has[0] ?? '', wanted[0] ?? '']
  const at = [...has.keys()].filter((i) => has[i] !== wanted[i])
  return [at.map((i) => has[i]).join(', '), at.map((i) => wanted[i]).join(', ')]
}
