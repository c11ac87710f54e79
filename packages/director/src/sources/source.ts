import type { Address } from '@ipvs-director/core'

/** A real server as a source tells of it. */
export interface FoundServer {
  readonly address: Address
  /** Undefined: the source does not say. */
  readonly port: number | undefined
  readonly weight: number | undefined
  /** 0 is the first choice (SRV priority, by rank). */
  readonly tier: number
}

/** Everything a source has at one moment; never empty: a source that has nothing has failed. */
export interface Listing {
  readonly servers: readonly FoundServer[]
  /** What in it cannot be used, a sentence each. */
  readonly remarks: readonly string[]
}

export interface SourceEvents {
  /** May tell the same again: it is then known to be as fresh. */
  answered(listing: Listing): void
  /** The source goes on trying by itself. */
  failed(reason: string): void
}

/** Where real servers come from that are not in the file. What was good last is kept by whoever asks. */
export interface Source {
  /** Asks once; rejects when there is no answer, or nothing in it. */
  list(): Promise<Listing>
  /** Asks, and goes on asking or listening. Returns what ends it. */
  watch(events: SourceEvents): () => void
}

export const noTarget = (address: Address): boolean => address === '0.0.0.0' || address === '::'
