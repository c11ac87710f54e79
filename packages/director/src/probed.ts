import type { Check } from '@ipvs-director/checkers'
import type { Config } from '@ipvs-director/config'
import { inPortions } from '@ipvs-director/core'
import { bfdSessions } from './bfd-sessions.ts'
import type { CheckTable } from './checks.ts'
import { isProbedBeside } from './compare/comparison.ts'
import type { Probing } from './director-options.ts'
import { createFirstVerdicts } from './first-verdicts.ts'

export interface ProbedOptions {
  readonly checks: CheckTable
  /** Undefined until the start has come to it. */
  readonly prober: () => Probing | undefined
  readonly isSuspended: (service: string) => boolean
  /** `--compare`: what another program does, too, would count twice. */
  readonly dry: boolean
  /** Once, when everything that is probed has been heard of. */
  readonly settled: () => void
}

/** What is probed now: what pools ask for, but for suspended ones, and the BFD sessions that VRRP follows. */
export interface Probed {
  /** The sessions of a configuration, told with the next change. */
  follow(config: Config): void
  /** Everything may be another. */
  setAll(): void
  /** Of these checks other things may be wanted than before; told in portions. Files that checks read are read anew. */
  change(ids: Iterable<string>): Promise<void>
  /** A check has said something. Answers the `bfd_instance` blocks that it stands for. */
  heard(id: string): readonly string[]
}

export function createProbed({ checks, prober, isSuspended, dry, settled }: ProbedOptions): Probed {
  const firstVerdicts = createFirstVerdicts(settled)
  let sessions = bfdSessions(undefined)
  /** Of before and of now. */
  let followed: readonly string[] = []

  /** A check as it is to be made now: none of a suspended service, unless another one asks for the same. */
  function wishFor(id: string): Check | undefined {
    const check = checks.check(id)
    const isMade =
      check !== undefined &&
      (!dry || isProbedBeside(check)) &&
      checks.subscribers(id).some(({ pool }) => !isSuspended(pool.config.name))
    return isMade ? check : sessions.checks.get(id)
  }

  function changeSome(ids: readonly string[]): void {
    const gone: string[] = []
    const come: Check[] = []
    for (const id of ids) {
      const check = wishFor(id)
      if (check === undefined) gone.push(id)
      else come.push(check)
    }
    prober()?.changeChecks(gone, come)
    firstVerdicts.forget(gone)
  }

  return {
    follow(config) {
      const before = sessions.checks
      sessions = bfdSessions(config)
      followed = [...new Set([...before.keys(), ...sessions.checks.keys()])]
    },
    setAll() {
      const wanted = [...new Set([...checks.ids(), ...sessions.checks.keys()])].flatMap((id) => wishFor(id) ?? [])
      prober()?.setChecks(wanted)
      firstVerdicts.expect(new Set(wanted.map(({ id }) => id)))
    },
    async change(ids) {
      prober()?.rereadFiles()
      changeSome(followed)
      await inPortions(ids, changeSome)
    },
    heard(id) {
      firstVerdicts.heard(id)
      return sessions.named(id)
    },
  }
}
