import { median } from '../measure.ts'
import { fresh } from '../fresh.ts'
import { configOf, rulesOf, type Shape } from '../shapes.ts'
import { Impatience, startDirector, startKeepalived, type Contestant, type Place } from './contestants.ts'
import { startIpvsadm } from './ipvsadm.ts'

/** What changes: nothing, the weight of the last real server, every address. */
export type Change = 'nothing' | 'one weight' | 'everything'

export interface Trial {
  readonly shape: Shape
  readonly rounds: number
  readonly changes: readonly Change[]
}

/** Who is measured: we, Debian's keepalived, the newer one that KEEPALIVED_NEXT names, and, where there is IPVS, ipvsadm. */
export type Name = 'ours' | 'usual' | 'next' | 'ipvsadm'

/** What a trial came to. Milliseconds are medians; Infinity: longer than is waited for; NaN: not measured. */
export interface Outcome {
  readonly took: (name: Name, change: Change) => number
  /** The longest that a question to our control socket waited. */
  readonly held: (change: Change) => number
  /** Resident bytes after the start. */
  readonly resident: (name: Name) => number
}

interface Program {
  readonly start: (place: Place, text: string) => Promise<Contestant>
  /** The configuration as it is first, or after a change. */
  readonly text: (shape: Shape, change: Change | undefined) => string
}

/** A build of a newer keepalived to measure beside, too. */
const next = process.env['KEEPALIVED_NEXT']

const keepalived = (program: string): Program => ({
  start: (place, config) => startKeepalived(program, place, config),
  text: configFor,
})

const programs: ReadonlyMap<Name, Program> = new Map<Name, Program>([
  ['ours', { start: startDirector, text: configFor }],
  ['usual', keepalived('keepalived')],
  ...(next === undefined ? [] : [['next', keepalived(next)] as const]),
])

const inKernelOnly: ReadonlyMap<Name, Program> = new Map<Name, Program>([
  [
    'ipvsadm',
    {
      start({ host }, rules) {
        if (host === undefined) throw new Error('ipvsadm has nothing to do without IPVS')
        return startIpvsadm(host, rules)
      },
      text: rulesFor,
    },
  ],
])

/** One program after the other, each for all changes and rounds; with `kernel` each in a namespace of its own. */
export async function compete(
  { shape, rounds, changes }: Trial,
  place: Omit<Place, 'host'>,
  { kernel }: { readonly kernel: boolean },
): Promise<Outcome> {
  const took = new Map<string, number[]>()
  const held = new Map<Change, number>()
  const resident = new Map<Name, number>()
  const add = (name: Name, change: Change, value: number): void => {
    const key = `${name} ${change}`
    took.set(key, [...(took.get(key) ?? []), value])
  }

  async function turnOf(name: Name, { start, text }: Program, here: Place): Promise<void> {
    let contestant: Contestant | undefined
    let done = 0
    try {
      contestant = await start(here, text(shape, undefined))
      resident.set(name, contestant.resident())
      for (const change of changes) {
        add(name, change, await contestant.reload(text(shape, change)))
        done++
        if (contestant.reloadAsked === undefined) continue
        await contestant.reload(text(shape, undefined))
        held.set(change, Math.max(held.get(change) ?? 0, await contestant.reloadAsked(text(shape, change))))
      }
    } catch (error) {
      if (!(error instanceof Impatience) || name === 'ours') throw error
      // What comes after what it has not done by then is not waited for either.
      for (const change of changes.slice(done)) add(name, change, Infinity)
    } finally {
      await contestant?.stop()
    }
  }

  for (let round = 0; round < rounds; round++) {
    for (const [name, program] of [...programs, ...(kernel ? inKernelOnly : [])]) {
      if (kernel) await fresh((host) => turnOf(name, program, { ...place, host }))
      else await turnOf(name, program, { ...place, host: undefined })
    }
  }
  return {
    took: (name, change) => median(took.get(`${name} ${change}`) ?? []),
    held: (change) => held.get(change) ?? NaN,
    resident: (name) => resident.get(name) ?? NaN,
  }
}

function configFor(shape: Shape, change: Change | undefined): string {
  return changed(configOf(shape), 'weight ', change)
}

function rulesFor(shape: Shape, change: Change | undefined): string {
  return changed(rulesOf(shape), '-w ', change)
}

function changed(text: string, weight: string, change: Change | undefined): string {
  if (change === 'everything') return text.replaceAll('10.128.', '10.192.').replaceAll('10.64.', '10.96.')
  if (change !== 'one weight') return text
  const at = text.lastIndexOf(weight) + weight.length
  return `${text.slice(0, at)}2${text.slice(at + 1)}`
}
