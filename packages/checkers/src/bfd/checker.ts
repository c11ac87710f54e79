import { block, boolean, text } from '@ipvs-director/config'
import {
  familyOf,
  formatDuration,
  millis,
  parseAddress,
  type Address,
  type Millis,
  type Timer,
} from '@ipvs-director/core'
import { defineWatchingChecker } from '../define.ts'
import type { BfdWish } from '../io/port.ts'
import { fail, pass, type Finding } from '../verdict.ts'
import { diagnostics } from './packet.ts'

/** BFD_CHECK (keepalived's check_bfd.c): up while a BFD session is. */
export const bfdCheck = defineWatchingChecker({
  block: block(
    'BFD_CHECK',
    'Up while a BFD session is.',
    {
      name: text('name', { required: true, syntax: 'NAME', doc: 'Name of the bfd_instance.' }),
      alpha: boolean('alpha', { inherits: 'real_server', doc: 'Counts as down until the session is up.' }),
    },
    { since: '2.0.0' },
  ),
  complete({ name }, around) {
    const named = name === undefined ? undefined : around.definition('bfd_instance', name)
    if (name === undefined) around.error('BFD_CHECK needs a name', 'name')
    else if (named === undefined) around.error(`no bfd_instance is named "${name}"`, 'name')
    else if (named.vrrp && !named.checker) around.error(`the bfd_instance ${name} is for VRRP only`, 'name')
    return { options: bfdWish(named) }
  },
  watch({ options, clock, io, tell }) {
    const where = `BFD session with ${options.neighbor}`
    const patience = startPatience(options)
    let silence: Timer | undefined
    const say = (finding: Finding): void => {
      silence?.cancel()
      tell(finding)
    }
    const end = io.bfd(options, {
      opened: () => {
        silence?.cancel()
        silence = clock.after(patience, () => {
          tell(fail('timeout', `no ${where} within ${formatDuration(patience)}`))
        })
      },
      changed: (state, diagnostic) => {
        if (state === 'up') say(pass(`${where} is up`))
        else say(fail(diagnostic === 1 ? 'timeout' : 'mismatch', `${where} is down: ${wordsFor(diagnostic)}`))
      },
      broke: (failure) => {
        say(fail(failure.class, failure.message))
      },
    })
    return () => {
      silence?.cancel()
      end()
    }
  },
  delays: ({ settings: { multiplier, minRx, idleTx } }) => ({
    refused: millis(0),
    silent: millis(multiplier * minRx),
    recovered: millis(2 * idleTx),
    successes: 1,
  }),
})

interface Written {
  readonly neighborIp?: string | undefined
  readonly sourceIp?: string | undefined
  readonly minRx: number
  readonly minTx: number
  readonly idleTx: number
  readonly multiplier: number
  readonly passive: boolean
  readonly ttl?: number | undefined
  readonly maxHops: number
  readonly multihop?: boolean | undefined
}

const nobody = parseAddress('0.0.0.0') as Address

/** A `bfd_instance` as a session; times are in milliseconds there. */
export function bfdWish(written: Written | undefined): BfdWish {
  const neighbor = parseAddress(written?.neighborIp ?? '') ?? nobody
  const source = parseAddress(written?.sourceIp ?? '')
  return {
    neighbor,
    ...(source === undefined ? {} : { source }),
    settings: {
      minTx: millis(written?.minTx ?? 10),
      minRx: millis(written?.minRx ?? 10),
      idleTx: millis(written?.idleTx ?? 1000),
      multiplier: written?.multiplier ?? 5,
      passive: written?.passive ?? false,
    },
    ttl: written?.ttl ?? (familyOf(neighbor) === 'inet' ? 255 : 64),
    maxHops: written?.maxHops ?? 0,
    multihop: written?.multihop ?? false,
  }
}

/** A neighbour that says nothing at all is down so long after the session could be opened: until then it is our own failure. */
const startPatience = ({ settings }: BfdWish): Millis => millis(settings.multiplier * settings.idleTx)

const wordsFor = (diagnostic: number): string => diagnostics[diagnostic] ?? `diagnostic ${diagnostic}`
