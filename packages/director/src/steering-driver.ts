import type { SteerAnswer, SteerRequest } from '@ipvs-director/control'
import type { Config } from '@ipvs-director/config'
import { describeError, formatEndpoint } from '@ipvs-director/core'
import type { LeavingServer } from './leaving.ts'
import type { OverlayStore } from './overlay-file.ts'
import { supersededBy, withoutService } from './overlay-services.ts'
import { withSteer, type AddedService, type Overlay } from './overlay.ts'
import type { Pool } from './pool.ts'
import type { Snippet } from './snippet.ts'
import type { Steer } from './steer.ts'
import { steered } from './steering.ts'
import type { Wish } from './wish.ts'

export interface SteeringOptions {
  readonly store: OverlayStore
  readonly config: () => Config
  readonly pools: () => readonly Pool[]
  readonly wall: () => number
  /** What the text of virtual servers means that are added by hand. */
  readonly read: (text: string) => Promise<Snippet>
  /** What is about to be done, a sentence for each change. */
  readonly told: (change: string) => void
  /** Makes the overlay count: by the pools' own means, or for `restructured` by putting the configuration together anew. */
  readonly apply: (overlay: Overlay, restructured: boolean) => Promise<void>
  /** It cannot be saved: it counts all the same, until the next start. */
  readonly unsaved: (problem: string) => void
}

/** The overlay of a running director: each request is carried out, then saved. */
export interface Steering {
  readonly overlay: Overlay
  steer(request: SteerRequest): Promise<SteerAnswer>
  /** These leave from now on. */
  leave(leaving: readonly LeavingServer[]): void
  /** A server's drain has come to its end. */
  replace(service: string, server: string, steer: Steer): void
  /** All servers of a virtual server on its way out are drained: it is left out. */
  leftService(service: string): void
  /** Reads anew what was added in earlier runs; answers what cannot be read any more, a sentence each. */
  restore(): Promise<readonly string[]>
  /** Forgets virtual servers added by hand: the file has them now. Answers which. */
  supersede(file: Config): readonly AddedService[]
  /** Takes them back: the file that had them is not what runs any more. */
  takeBack(services: readonly AddedService[]): void
}

export function createSteering(options: SteeringOptions, first: Overlay): Steering {
  const { store, config, pools, wall, read, told, apply, unsaved } = options
  let overlay = first

  async function wishOf(request: SteerRequest): Promise<Wish | (SteerAnswer & { ok: false })> {
    if (request.action !== 'add-service') return request
    const { virtualServers, diagnostics, errors } = await read(request.text)
    if (errors > 0) return { ok: false, problem: 'it cannot be used', candidates: [], diagnostics }
    return { ...request, read: virtualServers }
  }

  /** Answers what is to be said to whoever asked for it. */
  function save(next: Overlay): readonly string[] {
    overlay = next
    try {
      store.save(overlay)
      return []
    } catch (error) {
      const problem = `what is asked for by hand cannot be saved, a restart will forget it: ${describeError(error)}`
      unsaved(problem)
      return [problem]
    }
  }

  return {
    get overlay() {
      return overlay
    },
    async steer(request) {
      const wish = await wishOf(request)
      if ('ok' in wish) return wish
      const outcome = steered(overlay, wish, config(), wall())
      if ('problem' in outcome) return { ok: false, problem: outcome.problem, candidates: outcome.candidates }
      const before = overlay
      // Saved first: what was promised must outlive a crash in between.
      const problems = save(outcome.overlay)
      // And told before what follows from it.
      outcome.changes.forEach(told)
      const stood = new Set(pools().filter(hasQuorum).map(nameOf))
      await apply(overlay, isRestructured(before, overlay))
      // Those that are drained to be removed fall because that was asked for.
      const fallen = pools().filter(
        (pool) => !hasQuorum(pool) && stood.has(nameOf(pool)) && !overlay.leavingServices.has(nameOf(pool)),
      )
      return { ok: true, changes: [...outcome.changes, ...fallen.map(describeFall), ...problems] }
    },
    leave(leaving) {
      overlay = { ...overlay, leaving }
    },
    replace(service, server, steer) {
      save(withSteer(overlay, service, server, steer))
    },
    leftService(service) {
      save(withoutService(overlay, service))
    },
    async restore() {
      const problems: string[] = []
      const services: AddedService[] = []
      for (const each of overlay.services) {
        const { virtualServers, diagnostics } = await read(each.text)
        const virtual = virtualServers.find(({ name }) => name === each.name)
        if (virtual === undefined)
          problems.push(`${each.name}: ${diagnostics[0] ?? 'there is no such virtual server in it'}`)
        services.push({ ...each, virtual })
      }
      overlay = { ...overlay, services }
      return problems
    },
    supersede(file) {
      const gone = supersededBy(file, overlay)
      if (gone.length > 0) save({ ...overlay, services: overlay.services.filter((each) => !gone.includes(each)) })
      return gone
    },
    takeBack(services) {
      const names = new Set(overlay.services.map(({ name }) => name))
      const missing = services.filter(({ name }) => !names.has(name))
      if (missing.length > 0) save({ ...overlay, services: [...overlay.services, ...missing] })
    },
  }
}

const hasQuorum = ({ quorum }: Pool): boolean => quorum.up
const nameOf = ({ config }: Pool): string => config.name

/** Whoever drains the last server that serves is told what that means. */
function describeFall({ config: { name, sorryServer }, quorum: { aliveWeight } }: Pool): string {
  const left = aliveWeight > 0 ? `a weight of ${aliveWeight} is left` : 'no server is left that takes new connections'
  const sorry = sorryServer === undefined ? '' : `: the sorry server ${formatEndpoint(sorryServer)} serves`
  return `${name}: without quorum by that, ${left}${sorry}`
}

/** Servers or services come or go. */
const isRestructured = (before: Overlay, after: Overlay): boolean =>
  before.added !== after.added ||
  before.removed !== after.removed ||
  before.services !== after.services ||
  before.removedServices !== after.removedServices
