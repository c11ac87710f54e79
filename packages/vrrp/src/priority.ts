/** What is known of a tracked thing. */
export type Status =
  /** No result yet. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'good' }
  | { readonly kind: 'bad'; readonly why: string }
  /** A track_file's number. */
  | { readonly kind: 'value'; readonly value: number }

/** A thing that an instance follows, with what it is worth to it. */
export interface TrackedThing {
  /** As in messages: `script chk_nginx`, `interface eth1`. */
  readonly what: string
  /** 0: it being bad is a fault. */
  readonly weight: number
  readonly reverse: boolean
  readonly status: Status
}

/** One line of the sum that `ipvs-ctl vrrp` shows. */
export interface Share {
  readonly what: string
  readonly add: number
  readonly status: Status['kind']
}

/** What the trackers make of an instance. */
export interface Tally {
  /** Effective priority, 1 to 254, or 255 for an owner. */
  readonly priority: number
  readonly base: number
  /** Σ without limits, so that contributions cancel. */
  readonly total: number
  readonly shares: readonly Share[]
  readonly faults: readonly string[]
  /** Things that could be a fault and have no result yet. */
  readonly waiting: readonly string[]
}

/** Base priority and Σ of the contributions, within 1 to 254; an owner's never changes (reference/vrrp.md §5). */
export function tally(base: number, things: readonly TrackedThing[]): Tally {
  const judged = things.map((thing) => ({ thing, ...judge(thing) }))
  const total = base + judged.reduce((sum, { add }) => sum + add, 0)
  return {
    priority: base === 255 ? 255 : Math.min(254, Math.max(1, total)),
    base,
    total: base === 255 ? 255 : total,
    shares: judged.map(({ thing, add }) => ({ what: thing.what, add, status: thing.status.kind })),
    faults: judged.flatMap(({ fault }) => (fault === undefined ? [] : [fault])),
    waiting: judged.filter(({ waits }) => waits).map(({ thing }) => thing.what),
  }
}

interface Judgement {
  readonly add: number
  readonly fault?: string
  readonly waits?: boolean
}

function judge({ what, weight, reverse, status }: TrackedThing): Judgement {
  switch (status.kind) {
    case 'unknown':
      return { add: 0, waits: weight === 0 }
    case 'value':
      return judgeValue(what, weight, reverse, status.value)
    case 'good':
      if (weight === 0) return reverse ? { add: 0, fault: `${what} is up (reverse)` } : { add: 0 }
      return { add: weight > 0 ? (reverse ? -weight : weight) : 0 }
    case 'bad':
      if (weight === 0) return reverse ? { add: 0 } : { add: 0, fault: `${what}: ${status.why}` }
      return { add: weight < 0 ? (reverse ? -weight : weight) : 0 }
  }
}

/** The number of a file times the weight: above 253 it counts as 253, at −254 and below it is a fault. */
function judgeValue(what: string, weight: number, reverse: boolean, value: number): Judgement {
  if (weight === 0) return (value !== 0) === reverse ? { add: 0 } : { add: 0, fault: `${what} has ${value}` }
  const add = value * weight * (reverse ? -1 : 1)
  if (add <= -254) return { add: 0, fault: `${what} has ${value}, times ${weight}` }
  return { add: Math.min(253, add) + 0 }
}
