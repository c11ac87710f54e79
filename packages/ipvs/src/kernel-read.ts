import { inSlices } from '@ipvs-director/core'
import { isRefusal, type GenericFamily, type GenericMessage } from '@ipvs-director/linux'
import { asExpected, auditTable, destinationsByService } from './audit.ts'
import type { DestinationEntry, DestinationGlance, ServiceEntry } from './client.ts'
import * as c from './constants.ts'
import { decodeDestination, decodeDestinationEntry, decodeServiceEntry, type PlainService } from './decode.ts'
import { encodeServiceKey } from './encode.ts'
import { KnownServices } from './known-services.ts'
import type { TextSource } from './proc-file.ts'
import type { TextService } from './proc.ts'
import { refused } from './refusal.ts'
import { sortedByEndpoint } from './sorted.ts'
import { destinationId, serviceFamily, serviceId } from './table.ts'
import type { Destination, Service, ServiceKey, Table } from './table.ts'

const ESRCH = 3

/** Reads the kernel's table, by netlink and by its text. */
export class TableReader {
  private readonly family: GenericFamily
  private readonly text: TextSource | undefined
  private readonly fullAuditEvery: number
  private readonly known = new KnownServices()
  private turn = 1

  constructor(family: GenericFamily, text: TextSource | undefined, fullAuditEvery: number) {
    this.family = family
    this.text = text
    this.fullAuditEvery = fullAuditEvery
  }

  async services(): Promise<ServiceEntry[]> {
    const services: ServiceEntry[] = []
    await inSlices(await this.dumpServices(), ({ payload }) => {
      const service = decodeServiceEntry(payload)
      if (service !== undefined) services.push(service)
    })
    return services
  }

  async service(key: ServiceKey): Promise<ServiceEntry | undefined> {
    const answer = await this.family.ask({ command: c.IPVS_CMD_GET_SERVICE, payload: encodeServiceKey(key) })
    if (isRefusal(answer)) {
      if (answer.errno === ESRCH) return undefined
      throw refused(`read ${serviceId(key)}`, answer)
    }
    const [message] = answer
    return message === undefined ? undefined : decodeServiceEntry(message.payload)
  }

  async destinations(key: ServiceKey): Promise<DestinationEntry[]> {
    const family = serviceFamily(key)
    const entries: DestinationEntry[] = []
    await inSlices(await this.dumpDestinations(key), ({ payload }) => {
      entries.push(decodeDestinationEntry(payload, family))
    })
    return sortedByEndpoint(entries, ({ destination }) => destination)
  }

  async table(): Promise<Table> {
    const services = await Promise.all(
      (await this.plainServices()).map(async (service): Promise<[string, Service]> => {
        return [serviceId(service.key), { ...service, destinations: await this.plainDestinations(service) }]
      }),
    )
    return new Map(services)
  }

  async audit(expected: Table): Promise<Table> {
    const text = await this.readText()
    if (text === undefined) {
      const table = new Map<string, Service>()
      await inSlices(await this.table(), ([id, found]) => {
        table.set(id, asExpected(found, expected.get(id)))
      })
      return table
    }
    const turn = this.turn++
    return auditTable(expected, {
      text,
      services: await this.plainServices(),
      destinations: (service) => this.plainDestinations(service),
      isDue: (index) => (index + turn) % this.fullAuditEvery === 0,
    })
  }

  async glance(): Promise<Map<string, Map<string, DestinationGlance>>> {
    const text = (await this.readText()) ?? []
    const byText = text.length > 0 && text.every(({ key }) => typeof key !== 'number')
    const services = byText ? [] : await this.plainServices()
    const glances = await destinationsByService(services, text)
    for (const { key } of services) {
      const id = serviceId(key)
      if (!glances.has(id)) glances.set(id, new Map((await this.destinations(key)).map(glanceAt)))
    }
    return glances
  }

  /** Undefined where there is no text, or none that we understand: netlink tells the same, only slower. */
  private async readText(): Promise<TextService[] | undefined> {
    return this.text?.read().catch(() => undefined)
  }

  private async plainServices(): Promise<PlainService[]> {
    const answers = await this.dumpServices()
    return this.known.read(answers.map(({ payload }) => payload))
  }

  private async plainDestinations({ key }: PlainService): Promise<Map<string, Destination>> {
    const family = serviceFamily(key)
    const destinations = new Map<string, Destination>()
    await inSlices(await this.dumpDestinations(key), ({ payload }) => {
      const destination = decodeDestination(payload, family)
      destinations.set(destinationId(destination), destination)
    })
    return destinations
  }

  private async dumpServices(): Promise<readonly GenericMessage[]> {
    const answer = await this.family.dump({ command: c.IPVS_CMD_GET_SERVICE, payload: new Uint8Array() })
    if (isRefusal(answer)) throw refused('read the services', answer)
    return answer
  }

  private async dumpDestinations(key: ServiceKey): Promise<readonly GenericMessage[]> {
    const answer = await this.family.dump({ command: c.IPVS_CMD_GET_DEST, payload: encodeServiceKey(key) })
    if (isRefusal(answer)) throw refused(`read the destinations of ${serviceId(key)}`, answer)
    return answer
  }
}

function glanceAt({ destination, counters }: DestinationEntry): [string, DestinationGlance] {
  const { forwarding, weight } = destination
  const { activeConnections, inactiveConnections } = counters
  const shown = forwarding === 'bypass' ? 'masq' : forwarding // as the text has it
  return [destinationId(destination), { forwarding: shown, weight, activeConnections, inactiveConnections }]
}
