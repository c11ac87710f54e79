import { sameDestination, sameService } from './same.ts'
import type { Command, Destination, Service, ServiceKey, Table } from './table.ts'

export interface DiffOptions {
  /**
   * Whether a service of `actual` that is not desired is ours to delete, by its {@link serviceId}. Default: none is,
   * so what other programs put there stays. Destinations under a desired service are always ours.
   */
  readonly owned?: (serviceId: string) => boolean
}

type Steps = Generator<Command | undefined, undefined>

/**
 * The commands that lead from one table to another; none when they are equal. Linear in the size of both.
 *
 * Services are changed one after the other, each in an order that never leaves it without a destination of positive
 * weight where it has one before and after: the service itself, new destinations, raised weights, other changes,
 * lowered weights, deletions. Services to delete come last. The kernel edits every setting in place (seen on 6.1), so
 * connections survive all but a deletion.
 */
export function diff(actual: Table, desired: Table, options: DiffOptions = {}): Command[] {
  return [...diffSteps(actual, desired, options)].filter((command) => command !== undefined)
}

/**
 * The same one by one, and undefined for what needs none, for whoever has something else to do in between; the tables must stay
 * as they are meanwhile.
 */
export function* diffSteps(actual: Table, desired: Table, options: DiffOptions = {}): Steps {
  for (const [id, service] of desired) {
    const before = actual.get(id)
    if (before !== service) yield* changeService(before, service)
  }
  const { owned } = options
  if (owned === undefined) return
  for (const [id, { key }] of actual) {
    if (!desired.has(id) && owned(id)) yield { do: 'deleteService', key }
  }
}

function* changeService(before: Service | undefined, after: Service): Steps {
  const { key, settings } = after
  if (before === undefined) {
    yield { do: 'addService', key, settings }
    for (const destination of after.destinations.values()) yield { do: 'addDestination', service: key, destination }
    return
  }
  if (!sameService(before.settings, settings)) yield { do: 'setService', key, settings }
  if (before.destinations !== after.destinations) yield* changeDestinations(key, before, after)
}

function* changeDestinations(service: ServiceKey, before: Service, after: Service): Steps {
  const raised: Destination[] = []
  const others: Destination[] = []
  const lowered: Destination[] = []
  for (const [id, destination] of after.destinations) {
    const old = before.destinations.get(id)
    yield old === undefined ? { do: 'addDestination', service, destination } : undefined
    if (old === undefined) continue
    if (destination.weight > old.weight) raised.push(destination)
    else if (destination.weight < old.weight) lowered.push(destination)
    else if (!sameDestination(old, destination)) others.push(destination)
  }
  for (const destinations of [raised, others, lowered]) {
    for (const destination of destinations) yield { do: 'setDestination', service, destination }
  }
  for (const [id, { address, port }] of before.destinations) {
    yield after.destinations.has(id) ? undefined : { do: 'deleteDestination', service, destination: { address, port } }
  }
}
