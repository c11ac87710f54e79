import { inSlices } from '@ipvs-director/core'
import type { DestinationGlance } from './client.ts'
import type { PlainService } from './decode.ts'
import type { TextService } from './proc.ts'
import { sameDestination, sameService, tunnelOf } from './same.ts'
import { isMark, serviceId, type Destination, type Service, type Table } from './table.ts'

/** What an audit reads, and can read. */
export interface AuditSources {
  readonly text: readonly TextService[]
  /** Every service, read after the text. */
  readonly services: readonly PlainService[]
  /** Reads by a dump of its own. */
  destinations(service: PlainService): Promise<ReadonlyMap<string, Destination>>
  /** Whether the service at this place of the dump is asked for by netlink whatever the text says. */
  isDue(index: number): boolean
}

/**
 * The kernel's table, read for comparison with `expected`. What the text confirms of a service is taken from
 * `expected`; only the others are asked for by netlink.
 *
 * The text does not show thresholds and tunnel options, and calls bypass Masq. So services that are expected to have
 * any of these are asked for too; but where none is expected and somebody sets one by hand, the text looks as it
 * should, and only the turn of `isDue` finds it.
 */
export async function auditTable(expected: Table, sources: AuditSources): Promise<Table> {
  const { services, text } = sources
  const shown = await destinationsByService(services, text)
  const table = new Map<string, Service>()
  const asked: PlainService[] = []
  await inSlices(services.entries(), ([index, service]) => {
    const id = serviceId(service.key)
    const wanted = expected.get(id)
    const seen = shown.get(id)
    if (wanted !== undefined && seen !== undefined && !sources.isDue(index) && confirms(seen, wanted.destinations)) {
      table.set(id, asExpected({ ...service, destinations: wanted.destinations }, wanted))
    } else {
      asked.push(service)
    }
  })
  const answers = await Promise.all(asked.map((service) => sources.destinations(service)))
  await inSlices(asked.entries(), ([i, service]) => {
    const id = serviceId(service.key)
    const found = { ...service, destinations: answers[i] ?? new Map<string, Destination>() }
    table.set(id, asExpected(found, expected.get(id)))
  })
  return table
}

/** What was found, or the very object that was expected where it is the same: whoever keeps both tables keeps it once. */
export function asExpected(found: Service, expected: Service | undefined): Service {
  if (expected === undefined) return found
  const same = sameDestinations(found.destinations, expected.destinations)
  if (same && sameService(found.settings, expected.settings)) return expected
  return same ? { ...found, destinations: expected.destinations } : found
}

function sameDestinations(some: Service['destinations'], others: Service['destinations']): boolean {
  if (some === others) return true
  if (some.size !== others.size) return false
  for (const [id, destination] of some) {
    const other = others.get(id)
    if (other === undefined || (other !== destination && !sameDestination(other, destination))) return false
  }
  return true
}

/**
 * The text's destinations by service id. The text does not tell the family of a mark, so a mark that is there in both
 * families is left out.
 */
export async function destinationsByService(
  services: readonly PlainService[],
  text: readonly TextService[],
): Promise<Map<string, Map<string, DestinationGlance>>> {
  const marks = new Map<number, string | undefined>()
  for (const { key } of services) {
    if (isMark(key)) marks.set(key.fwmark, marks.has(key.fwmark) ? undefined : serviceId(key))
  }
  const shown = new Map<string, Map<string, DestinationGlance>>()
  await inSlices(text, ({ key, destinations }) => {
    const id = typeof key === 'number' ? marks.get(key) : serviceId(key)
    if (id !== undefined) shown.set(id, destinations)
  })
  return shown
}

/** Whether the text can tell everything about these destinations, and tells just what is expected. */
function confirms(seen: ReadonlyMap<string, DestinationGlance>, expected: ReadonlyMap<string, Destination>): boolean {
  if (seen.size !== expected.size) return false
  for (const [id, destination] of expected) {
    const shown = seen.get(id)
    if (shown === undefined || shown.weight !== destination.weight) return false
    if (shown.forwarding !== destination.forwarding || destination.forwarding === 'bypass') return false
    if (destination.upperThreshold !== 0 || tunnelOf(destination) !== undefined) return false
  }
  return true
}
