import { checkOfBfd, type Check } from '@ipvs-director/checkers'
import type { Config } from '@ipvs-director/config'

/** BFD sessions that VRRP follows (`track_bfd`): they are held by the prober, like those of BFD_CHECK. */
export interface BfdSessions {
  /** By check id. */
  readonly checks: ReadonlyMap<string, Check>
  /** The `bfd_instance` blocks that a session stands for. */
  named(id: string): readonly string[]
}

export function bfdSessions(config: Config | undefined): BfdSessions {
  const checks = new Map<string, Check>()
  const names = new Map<string, string[]>()
  if (config !== undefined) {
    const { instances, syncGroups } = config.vrrp
    const followed = new Set([...instances, ...syncGroups].flatMap(({ track }) => track.bfd.map(({ name }) => name)))
    for (const instance of config.bfdInstances) {
      if (!followed.has(instance.name)) continue
      const check = checkOfBfd(instance)
      checks.set(check.id, check)
      names.set(check.id, [...(names.get(check.id) ?? []), instance.name])
    }
  }
  return {
    checks,
    named: (id) => names.get(id) ?? [],
  }
}
