import type { Finding } from '@ipvs-director/control'
import type { Address } from '@ipvs-director/core'

/** Something this program can do about a finding by itself. */
export type Mending =
  | { readonly do: 'set'; readonly setting: string; readonly value: string }
  | { readonly do: 'add'; readonly address: Address; readonly prefix: number; readonly interface: string }
  | { readonly do: 'up'; readonly interface: string }

/** A finding, and what can be done about it without a person. */
export type Found = Finding & { readonly mendings?: readonly Mending[] }

export const fine = (name: string, text: string): Found => ({ name, verdict: 'fine', text })
export const note = (name: string, text: string): Found => ({ name, verdict: 'note', text })
export const unknown = (name: string, text: string): Found => ({ name, verdict: 'unknown', text })

/** What is wrong, with commands for a person. */
export const wrong = (
  verdict: 'bad' | 'warning',
  name: string,
  text: string,
  why: string,
  mend: readonly string[] = [],
): Found => ({ name, verdict, text, why, mend })

/** What is wrong, and mended by ourselves where asked to. */
export const mendable = (
  verdict: 'bad' | 'warning',
  name: string,
  text: string,
  why: string,
  mendings: readonly Mending[],
): Found => ({ name, verdict, text, why, mend: mendings.map(commandOf), mendings })

/** The command a person would type. */
export function commandOf(mending: Mending): string {
  switch (mending.do) {
    case 'set':
      return `sysctl -w ${mending.setting}=${mending.value}`
    case 'add':
      return `ip addr add ${mending.address}/${mending.prefix} dev ${mending.interface}`
    case 'up':
      return `ip link set ${mending.interface} up`
  }
}

const order: readonly Finding['verdict'][] = ['bad', 'warning', 'unknown', 'note', 'fine']

/** Worst first; else as they were found. */
export function worstFirst(found: readonly Found[]): Found[] {
  return [...found].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
}
