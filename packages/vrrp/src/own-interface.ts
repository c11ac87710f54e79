import { describeError } from '@ipvs-director/core'
import type { InterfaceRequest } from './link.ts'
import type { Surroundings } from './surroundings.ts'
import type { Voice } from './voice.ts'

/** A macvlan or ipvlan interface for an instance: made when the one below is there, and made again when it is lost. */
export interface OwnInterface {
  /** Undefined: none is wanted, or it is not made yet. */
  readonly name: () => string | undefined
  /** Makes it where it is wanted and missing; answers why the instance cannot work without it. */
  readonly ensure: () => string | undefined
  /** Under way: at the start that is waited for, and no fault. */
  readonly isBeingMade: () => boolean
  readonly remove: () => Promise<void>
}

export function createOwnInterface(
  { link, interfaces }: Surroundings,
  wish: () => InterfaceRequest | undefined,
  voice: Voice,
  changed: () => void,
): OwnInterface {
  let name: string | undefined
  /** It was there: when it is not any longer, somebody removed it. */
  let seen = false
  let making = false
  let fault: string | undefined
  /** Number of the interface below on which it could not be made. */
  let failedOn: number | undefined

  const make = (request: InterfaceRequest, index: number): void => {
    making = true
    fault = 'its interface is being made'
    link.createInterface(request).then(
      (made) => {
        making = false
        name = made
        seen = false
        fault = undefined
        interfaces.report(made, link.interface(made))
        changed()
      },
      (error: unknown) => {
        making = false
        failedOn = index
        fault = `cannot make its interface: ${describeError(error)}`
        voice.log('error', 'vrrp.vmac', fault)
        changed()
      },
    )
  }

  return {
    name: () => name,
    ensure() {
      const request = wish()
      if (request === undefined) return undefined
      if (name !== undefined) {
        const there = interfaces.get(name) !== undefined
        if (there || !seen) {
          seen = there
          return undefined
        }
        voice.log('warn', 'vrrp.vmac', `${name} is gone`)
        name = undefined
      }
      const below = interfaces.get(request.on)
      if (below !== undefined && !making && failedOn !== below.index) make(request, below.index)
      return fault
    },
    isBeingMade: () => making,
    async remove() {
      if (name !== undefined) await link.removeInterface(name)
      name = undefined
    },
  }
}
