/**
 * What one look came to. `bad`: it does not work, or breaks when it matters; `warning`: it works until something
 * happens; `note`: worth knowing; `unknown`: could not be looked at.
 */
export type Finding = {
  /** What it is about, stable, for programs: `arp-ignore`. */
  readonly name: string
  /** What was looked at, and what is there. */
  readonly text: string
} & (
  | { readonly verdict: 'fine' | 'note' | 'unknown' }
  | {
      readonly verdict: 'bad' | 'warning'
      /** What happens because of it. */
      readonly why: string
      /** Commands that mend it until the next boot; empty where only a person can. */
      readonly mend: readonly string[]
    }
)

/** What `ipvs-ctl doctor` is asked to look at. */
export interface DoctorWish {
  /** The configuration that says what is needed. Unused on a real server. */
  readonly file: string
  readonly configId: string | undefined
  /** This machine is a real server for these virtual addresses. Undefined: it is a director. */
  readonly realServer: { readonly vips: readonly string[]; readonly method: RealServerMethod } | undefined
  /** What the director that runs here says of addresses put on its interfaces by hand; undefined: none could be asked. */
  readonly strays: readonly StrayAddresses[] | undefined
  /** Mend what can be mended, then look again. Only on a real server. */
  readonly fix: boolean
}

/** Addresses of an instance that is not master, on its interface all the same. */
export interface StrayAddresses {
  readonly instance: string
  readonly addresses: readonly string[]
}

export const realServerMethods = ['dr', 'tun', 'nat'] as const
export type RealServerMethod = (typeof realServerMethods)[number]

export interface Diagnosis {
  /** Worst first. */
  readonly findings: readonly Finding[]
  /** What was changed, as commands. */
  readonly done: readonly string[]
  /** Lines of files that keep it so over a reboot; empty where nothing is to be kept. */
  readonly keep: readonly { readonly file: string; readonly lines: readonly string[] }[]
}

/** Looks at the machine. Rejects where the wish makes no sense: a VIP that is no address. */
export type Doctor = (wish: DoctorWish) => Promise<Diagnosis>
