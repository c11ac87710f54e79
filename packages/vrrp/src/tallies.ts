import type { Address } from '@ipvs-director/core'
import { type RejectReason, rejectReasons } from './rejection.ts'

/** Counters of one instance since its start; a reload keeps them. */
export interface Counters {
  advertsSent: number
  advertsReceived: number
  priorityZeroSent: number
  priorityZeroReceived: number
  becameMaster: number
  releasedMaster: number
  /** Advertisements that the kernel did not take. */
  sendErrors: number
  /** Advertisements with other addresses than ours ("addr_list_err"): taken all the same, as keepalived 2.4 does. */
  addressErrors: number
  readonly rejected: Record<RejectReason, number>
}

export const newCounters = (): Counters => ({
  advertsSent: 0,
  advertsReceived: 0,
  priorityZeroSent: 0,
  priorityZeroReceived: 0,
  becameMaster: 0,
  releasedMaster: 0,
  sendErrors: 0,
  addressErrors: 0,
  rejected: Object.fromEntries(rejectReasons.map((reason) => [reason, 0])) as Record<RejectReason, number>,
})

/** Another machine of the same virtual router, as last heard. Times are wall clock. */
export interface Peer {
  readonly address: Address
  readonly priority: number
  readonly path: number
  readonly adverts: number
  readonly heardAt: number
}

/** Peers remembered at most: more than ever share a VRID, few enough for a flood of forged sources. */
const rememberedPeers = 16

/** Remembers who was heard; the one unheard for longest goes first. */
export function rememberPeer(peers: Map<Address, Peer>, heard: Omit<Peer, 'adverts'>): void {
  const adverts = (peers.get(heard.address)?.adverts ?? 0) + 1
  peers.delete(heard.address)
  peers.set(heard.address, { ...heard, adverts })
  const [oldest] = peers.keys()
  if (peers.size > rememberedPeers && oldest !== undefined) peers.delete(oldest)
}
