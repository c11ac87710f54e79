import type { GarpGroup } from '@ipvs-director/config'
import { type Clock, describeError, familyOf, type Logger, millis, type Timer } from '@ipvs-director/core'
import type { Announcement, VrrpLink } from './link.ts'

/** Messages sent in one turn of the event loop, so that a thousand addresses do not delay an advertisement. */
const turnSize = 64
/** More than that waits only where bursts come faster than the spacing lets them go. */
const laneLimit = 20_000

/** Sends gratuitous ARPs and neighbour advertisements, spaced by interface as configured. */
export interface Announcer {
  /** `repeat` rounds over all of them; behind what still waits on their interfaces. */
  burst(key: string, announcements: readonly Announcement[], repeat: number): void
  /** Drops what waits for an instance. */
  drop(key: string): void
  configure(spacing: Spacing): void
  close(): void
}

/** `vrrp_garp_interval`, `vrrp_gna_interval` and `garp_group`. */
export interface Spacing {
  readonly garpInterval: number
  readonly naInterval: number
  readonly groups: readonly GarpGroup[]
}

interface Waiting {
  readonly key: string
  readonly announcement: Announcement
}

/** Interfaces that keep a distance together, and what waits for its turn there. */
interface Lane {
  readonly gap: { readonly inet: number; readonly inet6: number }
  waiting: Waiting[]
  timer: Timer | undefined
  /** The earliest moment for the next. */
  free: number
}

export function createAnnouncer(link: Pick<VrrpLink, 'announce'>, clock: Clock, logger: Logger): Announcer {
  const lanes = new Map<string, Lane>()
  let spacing: Spacing = { garpInterval: 0, naInterval: 0, groups: [] }

  const laneOf = (name: string): Lane => {
    const index = spacing.groups.findIndex(({ interfaces }) => interfaces.includes(name))
    const key = index < 0 ? `interface ${name}` : `group ${index}`
    const found = lanes.get(key)
    if (found !== undefined) return found
    const { garpInterval, naInterval } = spacing.groups[index] ?? spacing
    const made: Lane = { gap: { inet: garpInterval, inet6: naInterval }, waiting: [], timer: undefined, free: 0 }
    lanes.set(key, made)
    return made
  }

  const run = (lane: Lane): void => {
    lane.timer = undefined
    for (let sent = 0; lane.waiting.length > 0 && sent < turnSize; sent++) {
      if (lane.free > clock.now()) break
      const next = lane.waiting.shift()
      if (next === undefined) break
      lane.free = clock.now() + lane.gap[familyOf(next.announcement.address)]
      sendOne(next.announcement)
    }
    if (lane.waiting.length === 0) return
    lane.timer = clock.after(millis(Math.max(0, lane.free - clock.now())), () => {
      run(lane)
    })
  }

  const sendOne = (announcement: Announcement): void => {
    try {
      link.announce(announcement)
    } catch (error) {
      const { address, interface: on } = announcement
      logger.warn('vrrp.announce', `cannot announce ${address} on ${on}: ${describeError(error)}`, {
        address,
        interface: on,
      })
    }
  }

  return {
    burst(key, announcements, repeat) {
      const touched = new Set<Lane>()
      for (let round = 0; round < repeat; round++) {
        for (const announcement of announcements) {
          const lane = laneOf(announcement.interface)
          if (lane.waiting.length < laneLimit) lane.waiting.push({ key, announcement })
          touched.add(lane)
        }
      }
      for (const lane of touched) if (lane.timer === undefined) run(lane)
    },
    drop(key) {
      for (const lane of lanes.values()) lane.waiting = lane.waiting.filter((each) => each.key !== key)
    },
    configure(now) {
      spacing = now
      for (const lane of lanes.values()) lane.timer?.cancel()
      const waiting = [...lanes.values()].flatMap((lane) => lane.waiting)
      lanes.clear()
      for (const each of waiting) laneOf(each.announcement.interface).waiting.push(each)
      for (const lane of lanes.values()) run(lane)
    },
    close() {
      for (const lane of lanes.values()) lane.timer?.cancel()
      lanes.clear()
    },
  }
}
