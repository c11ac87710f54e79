import type { VirtualServer } from '@ipvs-director/config'
import type { SteerRequest } from '@ipvs-director/control'
import type { Overlay } from './overlay.ts'

/** What a request comes to: the overlay after it, and what to say; or why it cannot be. */
export type Steered =
  | { readonly overlay: Overlay; readonly changes: readonly string[] }
  | { readonly problem: string; readonly candidates: readonly string[] }

/** A request; one that adds virtual servers with what its text was read as. */
export type Wish =
  | Exclude<SteerRequest, { action: 'add-service' }>
  | { readonly action: 'add-service'; readonly text: string; readonly read: readonly VirtualServer[] }
