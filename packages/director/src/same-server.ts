import type { Place, RealServer, VirtualServer } from '@ipvs-director/config'

/** `moved`: the same, but somewhere in it stands at another place of the text. */
export type Likeness = 'equal' | 'moved' | 'other'

/** Whether two parts of a configuration mean the same. They are plain data. */
export function likeness(one: object, other: object): Likeness {
  const found: Found = { moved: false }
  if (!isSame(one, other, found)) return 'other'
  return found.moved ? 'moved' : 'equal'
}

/** What a comparison has come upon. */
interface Found {
  moved: boolean
}

function isSame(one: unknown, other: unknown, found: Found): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return Object.is(one, other)
  return Array.isArray(one)
    ? Array.isArray(other) && sameItems(one, other, found)
    : sameMembers(one as Members, other as Members, found)
}

function sameItems(one: readonly unknown[], other: readonly unknown[], found: Found): boolean {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (!isSame(one[i], other[i], found)) return false
  return true
}

type Members = Readonly<Record<string, unknown>>

function sameMembers(one: Members, other: Members, found: Found): boolean {
  let count = 0
  for (const key in one) {
    count++
    const [mine, its] = [one[key], other[key]]
    if (key === 'place') found.moved ||= !samePlace(mine as Place, its as Place)
    else if (mine !== its && !isSame(mine, its, found)) return false
    else if (its === undefined && !(key in other)) return false
  }
  return count === Object.keys(other).length
}

const samePlace = (one: Place, other: Place): boolean =>
  one.line === other.line && one.column === other.column && one.length === other.length && one.file === other.file

/** Something that only stands elsewhere now: as it was, and as it was read anew. */
export interface Moved {
  readonly old: object
  readonly fresh: object
}

/** Tells it where it stands now. */
export function relocate({ old, fresh }: Moved): void {
  copyPlaces(old, fresh)
}

/**
 * Puts the old real servers of a virtual server in place of new ones that mean the same, or at least their checkers, and
 * detaches what is new of the text it was read from. Answers for each of them whether it has moved.
 */
export function* takeOver(
  fresh: VirtualServer,
  old: VirtualServer | undefined,
): Generator<Moved | undefined, undefined, undefined> {
  const copies = new Map<string, string>()
  const there = old?.realServers ?? []
  const taken = new Set<RealServer>()
  for (const real of there) {
    taken.add(real)
    yield undefined
  }
  let byEndpoint: Map<string, RealServer> | undefined
  const realServers: RealServer[] = []
  for (const [i, real] of fresh.realServers.entries()) {
    let before = taken.has(real) ? real : isSameEndpoint(real, there[i]) ? there[i] : undefined
    if (before === undefined) {
      byEndpoint ??= yield* indexed(there)
      before = byEndpoint.get(endpointOf(real))
    }
    const like = before === undefined ? 'other' : likeness(real, before)
    if (before !== undefined && like !== 'other') {
      realServers.push(before)
      yield like === 'moved' ? { old: before, fresh: real } : undefined
      continue
    }
    const { checkers } = real
    const likeChecked = before === undefined ? 'other' : likeness(checkers, before.checkers)
    if (before === undefined || likeChecked === 'other') realServers.push(detach(real, copies))
    else realServers.push({ ...detach({ ...real, checkers: [] }, copies), checkers: before.checkers })
    yield before !== undefined && likeChecked === 'moved' ? { old: before.checkers, fresh: checkers } : undefined
  }
  const changeable = fresh as { realServers: readonly RealServer[] }
  changeable.realServers = []
  detach(fresh, copies)
  changeable.realServers = realServers
}

const endpointOf = ({ address, port }: RealServer): string => `${address} ${port}`

/** Mostly it stands where it stood. */
const isSameEndpoint = (real: RealServer, there: RealServer | undefined): boolean =>
  there?.address === real.address && there.port === real.port

/** Real servers by their endpoints, with a rest after each. */
function* indexed(realServers: readonly RealServer[]): Generator<undefined, Map<string, RealServer>, undefined> {
  const byEndpoint = new Map<string, RealServer>()
  for (const real of realServers) {
    byEndpoint.set(endpointOf(real), real)
    yield undefined
  }
  return byEndpoint
}

/** Adds to the lines of all places in something that stands elsewhere now; `done`: where that has been done already. */
export function shiftPlaces(part: unknown, by: number, done: Set<unknown>): void {
  if (typeof part !== 'object' || part === null || done.has(part)) return
  for (const key in part) {
    const value = (part as Members)[key]
    if (key !== 'place') shiftPlaces(value, by, done)
    else {
      const place = value as Place
      ;(part as { place: Place }).place = { ...place, line: place.line + by }
      done.add(part)
    }
  }
}

function copyPlaces(to: unknown, from: unknown): void {
  if (typeof to !== 'object' || typeof from !== 'object' || to === null || from === null || to === from) return
  for (const key in to) {
    const [mine, its] = [(to as Members)[key], (from as Members)[key]]
    if (key === 'place') (to as Record<string, unknown>)['place'] = its
    else copyPlaces(mine, its)
  }
}

/** Shorter strings than this V8 copies out of a text; a longer one keeps all of the text it was cut from. */
const longestCopied = 12

/** Copies what was cut out of a file's text, so that the text can be forgotten. Answers the same object. */
function detach<T extends object>(data: T, copies: Map<string, string>): T {
  const members = data as Record<string, unknown>
  for (const key in members) {
    const value = members[key]
    if (typeof value === 'string') {
      if (value.length > longestCopied) members[key] = copied(value, copies)
    } else if (typeof value === 'object' && value !== null && key !== 'place') detach(value, copies)
  }
  return data
}

function copied(text: string, copies: Map<string, string>): string {
  let copy = copies.get(text)
  if (copy === undefined) copies.set(text, (copy = Buffer.from(text, 'utf16le').toString('utf16le')))
  return copy
}
