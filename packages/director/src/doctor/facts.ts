import type { Config } from '@ipvs-director/config'
import type { StrayAddresses } from '@ipvs-director/control'
import type { Address, Family } from '@ipvs-director/core'

/** An interface with its addresses. */
export interface Interface {
  readonly name: string
  readonly up: boolean
  readonly loopback: boolean
  /** veth, dummy, ipip, …; undefined for hardware. */
  readonly kind: string | undefined
  readonly mtu: number
  readonly addresses: readonly { readonly address: Address; readonly prefix: number }[]
}

/** A route of the main table. */
export interface Way {
  readonly family: Family
  /** Undefined: the default route. */
  readonly destination: { readonly address: Address; readonly length: number } | undefined
  readonly gateway: Address | undefined
  readonly interface: string | undefined
}

export interface RunningProgram {
  readonly pid: number
  /** The name the kernel has, at most 15 bytes. */
  readonly name: string
  readonly commandLine: string
}

/** Everything a look may see of this machine, gathered before: so that a look is a pure function. */
export interface Facts {
  /** `uname -r`: 6.1.0-18-amd64. */
  readonly release: string
  /** The text of a file, trimmed; undefined where it is not there or may not be read. */
  readonly file: (path: string) => string | undefined
  /** Undefined where they could not be read. */
  readonly interfaces: readonly Interface[] | undefined
  readonly ways: readonly Way[]
  readonly programs: readonly RunningProgram[]
  /** Every firewall rule as nft or iptables print them; undefined where they could not be read. */
  readonly firewall: string | undefined
  /** The wall clock. */
  readonly now: Date
  readonly node: string
  /** Why the native addon cannot be used; undefined when it can. */
  readonly addonTrouble: string | undefined
  /** This program and the one that runs it see other processes. Its own number. */
  readonly pid: number
}

/** What is known on a director, besides. */
export interface DirectorFacts extends Facts {
  readonly configFile: string
  readonly config: Config | undefined
  /** As the running director tells them; undefined: none could be asked. */
  readonly strays: readonly StrayAddresses[] | undefined
  /** Errors in the file; a sentence where it could not be read. */
  readonly configTrouble: string | undefined
}

/** The value of a setting below /proc/sys, `net.ipv4.ip_forward`; undefined where this kernel has none. */
export function sysctl(facts: Facts, name: string): string | undefined {
  return facts.file(sysctlFile(name))
}

/** An interface's name may have a dot: it stands as a slash in a setting's name, as sysctl(8) has it. */
export function sysctlFile(name: string): string {
  return `/proc/sys/${name.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.'))}`
}

/** Whether the kernel is at least that; what cannot be read as a version is taken as new. */
export function kernelAtLeast({ release }: Facts, major: number, minor: number): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(release) ?? []
  if (first === undefined || second === undefined) return true
  return Number(first) > major || (Number(first) === major && Number(second) >= minor)
}
