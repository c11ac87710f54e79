/** Renewing the lifetimes of held addresses: those of one turn of the event loop in one send. */
import type { Millis } from '@ipvs-director/core'
import { prepareRenewal, type PreparedRenewal, type RouteClient, type RouteNumber } from '@ipvs-director/linux'
import type { Holding } from '@ipvs-director/vrrp'
import { addressText, kernelAddress, type IndexOf } from './entries.ts'

export interface Leases {
  /** Renews soon; resolves when it is done, or was dropped, and rejects with what the kernel refused. */
  renew(holding: Holding, lease: Millis): Promise<void>
  /** Nothing of this owner is renewed any more, not even what waits for its turn: it is about to be removed or replaced. */
  drop(key: string): void
}

/** Room for their refusals is in any receive buffer. */
const mostTogether = 100

interface Job {
  readonly key: string
  readonly renewals: readonly PreparedRenewal[]
  /** Where the next send of it begins. */
  next: number
  readonly errors: Error[]
  readonly end: () => void
}

/**
 * The kernel carries a send out before it returns, and adds what it is told to renew, whether it is there or not. So what
 * waits is looked at when it is sent, never handed over before: a renewal must not bring back what was just released.
 */
export function createLeases(
  renewer: Pick<RouteClient, 'renewAddresses'>,
  indexOf: IndexOf,
  names?: RouteNumber,
): Leases {
  let waiting: Job[] = []
  let busy = false
  const prepared = new Map<string, Prepared>()

  function flush(): void {
    busy = false
    const sent: { job: Job; renewal: PreparedRenewal }[] = []
    for (const job of waiting) {
      while (job.next < job.renewals.length && sent.length < mostTogether) {
        const renewal = job.renewals[job.next++]
        if (renewal !== undefined) sent.push({ job, renewal })
      }
      if (sent.length === mostTogether) break
    }
    if (sent.length === 0) return
    busy = true
    const settled = waiting.filter(({ next, renewals }) => next === renewals.length)
    waiting = waiting.filter(({ next, renewals }) => next < renewals.length)
    const finish = (): void => {
      for (const job of settled) job.end()
      flush()
    }
    renewer.renewAddresses(sent.map(({ renewal }) => renewal)).then(
      (outcomes) => {
        outcomes.forEach((error, i) => {
          if (error !== undefined) sent[i]?.job.errors.push(error)
        })
        finish()
      },
      (error: unknown) => {
        for (const { job } of sent) job.errors.push(error instanceof Error ? error : new Error(String(error)))
        finish()
      },
    )
  }

  /** Made anew when something about it changed. */
  function prepare({ key, addresses, excluded }: Holding, lease: Millis): Prepared {
    const all = [...addresses, ...excluded]
    const indexes = all.map(({ interface: on }) => (on === undefined ? undefined : indexOf(on)))
    const known = prepared.get(key)
    if (known?.lease === lease && same(known.addresses, all) && same(known.indexes, indexes)) return known
    const renewals: PreparedRenewal[] = []
    const missing: string[] = []
    all.forEach((wanted, i) => {
      const index = indexes[i]
      if (index === undefined) missing.push(`cannot renew ${addressText(wanted)}: there is no such interface`)
      else renewals.push(prepareRenewal(kernelAddress(wanted, index, lease, names)))
    })
    const made = { lease, addresses: all, indexes, renewals, missing }
    prepared.set(key, made)
    return made
  }

  return {
    renew: (holding, lease) =>
      new Promise((resolve, reject) => {
        const { renewals, missing } = prepare(holding, lease)
        const errors = missing.map((text) => new Error(text))
        const end = (): void => {
          const [first] = errors
          if (first === undefined) resolve()
          else reject(errors.length === 1 ? first : new Error(errors.map(({ message }) => message).join('; '), { cause: first })) // prettier-ignore
        }
        if (renewals.length === 0) {
          end()
          return
        }
        waiting.push({ key: holding.key, renewals, next: 0, errors, end })
        if (busy) return
        busy = true
        queueMicrotask(flush) // when all that is due now has asked
      }),
    drop(key) {
      prepared.delete(key)
      const dropped = waiting.filter((job) => job.key === key)
      if (dropped.length === 0) return
      waiting = waiting.filter((job) => job.key !== key)
      for (const job of dropped) job.end()
    },
  }
}

interface Prepared {
  readonly lease: Millis
  readonly addresses: readonly unknown[]
  readonly indexes: readonly unknown[]
  readonly renewals: readonly PreparedRenewal[]
  readonly missing: readonly string[]
}

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i])
