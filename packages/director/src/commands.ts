import { inSlices } from '@ipvs-director/core'
import {
  destinationId,
  diffSteps,
  serviceId,
  type Command,
  type Destination,
  type Service,
  type Table,
} from 'ipvs-netlink'

/** A command as a person says it: for the log, the plan and the answer to a reload. */
export function describeCommand(command: Command): string {
  switch (command.do) {
    case 'addService':
      return `add service ${serviceId(command.key)} (${command.settings.scheduler})`
    case 'setService':
      return `change service ${serviceId(command.key)} (${command.settings.scheduler})`
    case 'deleteService':
      return `remove service ${serviceId(command.key)}`
    case 'addDestination':
      return `add ${destinationText(command.destination)} to ${serviceId(command.service)}`
    case 'setDestination':
      return `set ${destinationText(command.destination)} of ${serviceId(command.service)}`
    case 'deleteDestination':
      return `remove ${destinationId(command.destination)} from ${serviceId(command.service)}`
    case 'flush':
      return 'remove every service'
  }
}

function destinationText(destination: Destination): string {
  return `${destinationId(destination)} weight ${destination.weight} ${destination.forwarding}`
}

/**
 * What somebody else changed: the way from what we believed the kernel has to what it has, told backwards, one line for
 * each difference. Services that are not ours do not count.
 */
export async function describeDrift(
  believed: Table,
  found: Table,
  ours: (id: string) => boolean,
): Promise<readonly string[]> {
  const lines: string[] = []
  await inSlices(diffSteps(only(believed, ours), only(found, ours), { owned: ours }), (command) => {
    const line = command === undefined ? undefined : driftLine(command, believed)
    if (line !== undefined) lines.push(line)
  })
  return lines
}

function driftLine(command: Command, believed: Table): string | undefined {
  switch (command.do) {
    case 'addService':
      return `service ${serviceId(command.key)} had appeared`
    case 'setService':
      return `service ${serviceId(command.key)} was changed`
    case 'deleteService':
      return `service ${serviceId(command.key)} was missing`
    case 'addDestination':
      return believed.has(serviceId(command.service))
        ? `destination ${destinationId(command.destination)} of ${serviceId(command.service)} had appeared`
        : undefined
    case 'setDestination': {
      const had = believed.get(serviceId(command.service))?.destinations.get(destinationId(command.destination))
      const what = `destination ${destinationId(command.destination)} of ${serviceId(command.service)}`
      return had !== undefined && had.weight !== command.destination.weight
        ? `${what} had weight ${command.destination.weight} instead of ${had.weight}`
        : `${what} was changed`
    }
    case 'deleteDestination':
      return `destination ${destinationId(command.destination)} of ${serviceId(command.service)} was missing`
    case 'flush':
      return undefined
  }
}

function only(table: Table, ours: (id: string) => boolean): Map<string, Service> {
  return new Map([...table].filter(([id]) => ours(id)))
}
