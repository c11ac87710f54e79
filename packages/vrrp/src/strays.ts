import { type Address, seconds, type Timer } from '@ipvs-director/core'
import type { Instance } from './instance.ts'
import type { Surroundings } from './surroundings.ts'
import { createVoice, type Voice } from './voice.ts'

/** Between two looks; what is there at two of them is no address on its way. */
const interval = seconds(5)

/** Addresses of instances that somebody else put on their interfaces: two machines answer for them then. */
export interface Strays {
  /** Of an instance by its key; those that were told of. */
  of(key: string): readonly Address[]
  close(): void
}

interface Found {
  readonly addresses: readonly Address[]
  readonly voice: Voice
  readonly told: boolean
}

/** Looks for them at instances that are neither master nor starting. As keepalived, it leaves them alone: only a start removes them. */
export function createStrays(
  shared: Pick<Surroundings, 'interfaces' | 'clock' | 'logger' | 'tell'>,
  instances: () => Iterable<Instance>,
): Strays {
  const { clock, interfaces } = shared
  let known: ReadonlyMap<string, Found> = new Map()
  let timer: Timer

  function look(): void {
    const all = [...instances()]
    const held = new Set(all.filter(({ state }) => state().phase === 'master').flatMap(placesOf))
    const there = new Set(interfaces.all().flatMap(({ name, addresses }) => addresses.map((one) => placeOf(name, one))))
    const now = new Map<string, Found>()
    for (const instance of all) {
      const { phase } = instance.state()
      const before = known.get(instance.key)
      const mine =
        phase === 'backup' || phase === 'fault'
          ? placesOf(instance).filter((one) => there.has(one) && !held.has(one))
          : []
      if (mine.length > 0) now.set(instance.key, tell(instance, mine, before))
      else if (before?.told === true)
        before.voice.alarm('calm', 'stray', 'its addresses are not here any more, or as they should be')
    }
    known = now
  }

  function tell(instance: Instance, places: readonly string[], before: Found | undefined): Found {
    const addresses = places.map(addressIn)
    const voice = before?.voice ?? createVoice(shared, instance.config)
    if (before !== undefined && !before.told) {
      const words = `${addresses.join(', ')} is here, although it is not master: somebody put it here, and it is left alone`
      voice.alarm('alarm', 'stray', words)
    }
    return { addresses, voice, told: before !== undefined }
  }

  const again = (): void => {
    timer = clock.after(interval, () => {
      look()
      again()
    })
  }
  again()

  return {
    of: (key) => {
      const found = known.get(key)
      return found?.told === true ? found.addresses : []
    },
    close() {
      timer.cancel()
    },
  }
}

const placeOf = (name: string, address: Address): string => `${name} ${address}`
const addressIn = (place: string): Address => place.slice(place.indexOf(' ') + 1) as Address

/** Where an instance has its addresses while it is master; those on interfaces made for it nobody else can have put there. */
function placesOf({ config }: Instance): readonly string[] {
  const { interface: own, addresses, excluded } = config()
  return [...addresses, ...excluded].flatMap((each) => {
    const on = each.interface ?? own
    return on === undefined ? [] : [placeOf(on, each.address)]
  })
}
