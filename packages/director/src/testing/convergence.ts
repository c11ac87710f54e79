/** From any configuration to any other, through whatever happens, and the model that says how the table ends. */
import type { VirtualServer } from '@ipvs-director/config'
import type { SteerRequest } from '@ipvs-director/control'
import { seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { fc } from '@fast-check/vitest'
import type { IpvsClient } from 'ipvs-netlink'
import { expect } from 'vitest'
import type { Director } from '../director-options.ts'
import { createDirector } from '../director.ts'
import { noFailover } from '../failover.ts'
import { noAlarms } from './alarms.ts'
import { config, realServer, virtualServer } from './config.ts'
import { fakeProber, type FakeProber } from './fake-prober.ts'
import { overlayInMemory } from './overlay.ts'

const hosts = [1, 2, 3, 4] as const
const services = [80, 81] as const
type Service = (typeof services)[number]
const nameOf = (service: Service): string => `192.0.2.${service}:80/tcp`
const serverOf = (host: number): string => `10.0.0.${host}:80`

/** A virtual server that is never in the file. */
const addedName = '192.0.2.90:80/tcp'
const addedText = `virtual_server 192.0.2.90 80 {
    lb_kind DR
    protocol TCP
    real_server 10.0.0.1 80 { TCP_CHECK { } }
    real_server 10.0.0.2 80 { TCP_CHECK { } }
}
`
const addedService = { inhibit: false, weights: { [serverOf(1)]: 1, [serverOf(2)]: 1 } }

/** What a file says of one service: weights by host; undefined: not in it. */
type FileService = { readonly inhibit: boolean; readonly weights: Readonly<Record<string, number>> } | undefined
type File = Readonly<Record<Service, FileService>>

type Step =
  | { readonly do: 'verdict'; readonly host: number; readonly up: boolean }
  | { readonly do: 'reload'; readonly file: File }
  | { readonly do: 'steer'; readonly request: SteerRequest }
  | { readonly do: 'hand'; readonly what: 'flush' | 'delete'; readonly host: number }
  | { readonly do: 'restart'; readonly kept: boolean }
  | { readonly do: 'wait' }

const host = fc.constantFrom(...hosts)
const fileService: fc.Arbitrary<FileService> = fc.option(
  fc.record({ inhibit: fc.boolean(), weights: fc.dictionary(host.map(serverOf), fc.nat(3), { maxKeys: 4 }) }),
  { nil: undefined, freq: 4 },
)
export const file: fc.Arbitrary<File> = fc.record({ 80: fileService, 81: fileService })
const target = fc.record({ server: host.map(serverOf), service: fc.option(fc.constantFrom(...services).map(nameOf), { nil: undefined }) }) // prettier-ignore
const request: fc.Arbitrary<SteerRequest> = fc.oneof(
  target.map((to) => ({ action: 'disable' as const, ...to })),
  target.map((to) => ({ action: 'drain' as const, ...to })),
  target.map((to) => ({ action: 'enable' as const, ...to })),
  target.map((to) => ({ action: 'remove' as const, ...to })),
  fc.tuple(target, fc.nat(5)).map(([to, weight]) => ({ action: 'weight' as const, ...to, weight })),
  fc.tuple(target, fc.constantFrom('up' as const, 'down' as const)).map(([to, force]) => ({ action: 'force' as const, ...to, force })), // prettier-ignore
  fc.constant({ action: 'add-service' as const, text: addedText }),
  fc.constant({ action: 'remove-service' as const, service: addedName }),
  fc.tuple(fc.constantFrom(...services).map(nameOf), fc.boolean()).map(([service, drain]) => ({ action: 'remove-service' as const, service, drain })), // prettier-ignore
  fc.constant({ action: 'reset' as const }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('verdict' as const), host, up: fc.boolean() }),
  fc.record({ do: fc.constant('reload' as const), file }),
  fc.record({ do: fc.constant('steer' as const), request }),
  fc.record({ do: fc.constant('hand' as const), what: fc.constantFrom('flush' as const, 'delete' as const), host }),
  fc.record({ do: fc.constant('restart' as const), kept: fc.boolean() }),
  fc.constant({ do: 'wait' as const }),
)

function virtualServers(from: File): VirtualServer[] {
  return services.flatMap((service) => {
    const wanted = from[service]
    if (wanted === undefined) return []
    return [
      virtualServer({
        name: nameOf(service),
        target: { kind: 'address', address: `192.0.2.${service}` as never, port: 80 },
        realServers: Object.entries(wanted.weights).map(([name, weight]) =>
          realServer(name, { weight, inhibitOnFailure: wanted.inhibit }),
        ),
      }),
    ]
  })
}

/** The same rules, told as briefly as possible: the model the director is held against. */
class Model {
  readonly up = new Map<string, boolean>(hosts.map((each) => [serverOf(each), true]))
  readonly steers = new Map<string, { out?: 'disabled' | 'drained'; weight?: number; force?: boolean }>()
  readonly removed = new Set<string>()
  readonly removedServices = new Set<string>()
  added = false
  file: File

  constructor(first: File) {
    this.file = first
  }

  /** What is there, by name. */
  services(): Map<string, NonNullable<FileService>> {
    const there = new Map<string, NonNullable<FileService>>()
    for (const service of services) {
      const wanted = this.file[service]
      if (wanted !== undefined && !this.removedServices.has(nameOf(service))) there.set(nameOf(service), wanted)
    }
    if (this.added) there.set(addedName, addedService)
    return there
  }

  steer(to: SteerRequest): void {
    if (to.action === 'reset') {
      this.steers.clear()
      this.removed.clear()
      this.removedServices.clear()
      this.added = false
    }
    if (to.action === 'add-service') this.added = true
    if (to.action === 'remove-service') this.removeService(to.service)
    if (!('server' in to) || to.server === undefined) return
    for (const [name, { weights }] of this.services()) {
      const key = `${name} ${to.server}`
      const there = weights[to.server] !== undefined && !this.removed.has(key)
      if (!there || (to.service !== undefined && to.service !== name)) continue
      const { out, ...rest } = this.steers.get(key) ?? {}
      const kept = out === undefined ? {} : { out }
      if (to.action === 'disable') this.steers.set(key, { ...rest, out: 'disabled' })
      if (to.action === 'drain') this.steers.set(key, { ...rest, out: 'drained' })
      if (to.action === 'enable') this.steers.set(key, rest)
      if (to.action === 'weight') this.steers.set(key, { ...rest, ...kept, weight: to.weight })
      if (to.action === 'force') this.steers.set(key, { ...rest, ...kept, force: to.force === 'up' })
      if (to.action === 'remove') {
        this.removed.add(key)
        this.steers.delete(key)
      }
    }
  }

  private removeService(name: string): void {
    if (!this.services().has(name)) return
    if (name === addedName) this.added = false
    else this.removedServices.add(name)
    for (const key of this.steers.keys()) if (key.startsWith(name)) this.steers.delete(key)
    for (const key of this.removed) if (key.startsWith(name)) this.removed.delete(key)
  }

  table(): Record<string, Record<string, number>> {
    const table: Record<string, Record<string, number>> = {}
    for (const [name, wanted] of this.services()) {
      const entries: Record<string, number> = {}
      for (const [server, configured] of Object.entries(wanted.weights)) {
        const key = `${name} ${server}`
        if (this.removed.has(key)) continue
        const { out, weight, force } = this.steers.get(key) ?? {}
        const alive = this.up.get(server) ?? true
        if (out === 'drained') continue
        if (out === 'disabled') {
          if (alive || wanted.inhibit) entries[server] = 0
        } else if (force ?? alive) entries[server] = weight ?? configured
        else if (wanted.inhibit) entries[server] = 0
      }
      table[name] = entries
    }
    return table
  }
}

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 25, size: 'max' })

/** Lives through the steps on a table that is empty at first; throws where it ends otherwise than the model says. */
export async function converges(ipvs: IpvsClient, first: File, happening: readonly Step[]): Promise<void> {
  const clock = fakeClock(1_000_000)
  const overlay = overlayInMemory()
  const owned: string[] = []
  const model = new Model(first)
  let prober: FakeProber | undefined
  const born = (): Director =>
    createDirector({
      file: 'test.conf',
      version: '0',
      load: async () => ({
        config: config(virtualServers(model.file)),
        diagnostics: [],
        errors: 0,
        warnings: 0,
        leftOut: [],
      }),
      ipvs,
      ipvsVersion: async () => 'memory',
      startProber: (events) => (prober = fakeProber(events)),
      runScript: async () => undefined,
      owned: { load: () => [...owned], save: (ids) => void owned.splice(0, owned.length, ...ids) },
      overlay,
      failover: () => noFailover,
      alarms: () => noAlarms,
      logger: arrayLogger(),
      clock,
    })
  let director = born()
  await director.start()
  for (const each of happening) {
    switch (each.do) {
      case 'verdict':
        model.up.set(serverOf(each.host), each.up)
        prober?.saw(serverOf(each.host), each.up)
        break
      case 'reload':
        model.file = each.file
        await director.reload()
        break
      case 'steer':
        model.steer(each.request)
        await director.steer(each.request)
        break
      case 'hand':
        if (each.what === 'flush') await ipvs.execute([{ do: 'flush' }])
        else {
          const [service] = await ipvs.services()
          const destination = { address: `10.0.0.${each.host}` as never, port: 80 }
          if (service !== undefined)
            await ipvs.execute([{ do: 'deleteDestination', service: service.key, destination }])
        }
        break
      case 'restart':
        // Killed, it cleans up nothing; otherwise it takes its services along.
        if (!each.kept) await director.stop({ keep: false })
        else await director.stop({ keep: true })
        director = born()
        await director.start()
        break
      case 'wait':
        await clock.advance(seconds(3))
    }
  }
  // The probers have looked at everybody, the drains have ended, the audit was made.
  for (const each of hosts) prober?.saw(serverOf(each), model.up.get(serverOf(each)) ?? true)
  await clock.advance(seconds(5))
  await director.audit()
  const found = Object.fromEntries(
    [...(await ipvs.table())].map(([id, { destinations }]) => [
      id,
      Object.fromEntries([...destinations].map(([name, { weight }]) => [name, weight])),
    ]),
  )
  expect(found).toEqual(model.table())
  await director.stop({ keep: true })
}
