/** A sync group as a pure machine: all its instances move together (reference/vrrp.md §6). */
export type GroupPhase = 'backup' | 'master' | 'fault'

/** What the group knows of a member. */
export interface Member {
  readonly phase: 'init' | GroupPhase | 'stopped'
  /** Its Master_Down ran out, and it hears nobody better. */
  readonly wants: boolean
  /** It has a fault of its own. */
  readonly faulty: boolean
}

export interface GroupState {
  readonly phase: GroupPhase
  /** Faults of what the group itself tracks. */
  readonly faults: readonly string[]
  readonly members: ReadonlyMap<string, Member>
}

export type GroupEvent =
  | { readonly type: 'want'; readonly member: string }
  | { readonly type: 'unwant'; readonly member: string }
  /** `resigned`: it said priority 0, so the others say it, too. */
  | {
      readonly type: 'turned'
      readonly member: string
      readonly to: Member['phase']
      readonly why: string
      readonly resigned: boolean
    }
  | { readonly type: 'faulty'; readonly member: string; readonly faulty: boolean }
  /** What the group tracks itself. */
  | { readonly type: 'faults'; readonly faults: readonly string[] }
  | { readonly type: 'members'; readonly names: readonly string[] }
  /** A member as a reload found it. */
  | { readonly type: 'adopted'; readonly member: string; readonly phase: Member['phase'] }

export type GroupEffect =
  | { readonly do: 'tell'; readonly member: string; readonly become: 'master' }
  | {
      readonly do: 'tell'
      readonly member: string
      readonly become: 'backup'
      readonly why: string
      readonly resign: boolean
    }
  /** Every member is in fault, or no longer because of the group. */
  | { readonly do: 'fault'; readonly on: boolean }
  | { readonly do: 'turned'; readonly from: GroupPhase; readonly to: GroupPhase; readonly why: string }

export interface GroupStep {
  readonly state: GroupState
  readonly effects: readonly GroupEffect[]
}

const fresh: Member = { phase: 'init', wants: false, faulty: false }

/** Keepalived's groups begin as backup; owners get to master by wanting it together. */
export const initialGroup = (names: readonly string[]): GroupState => ({
  phase: 'backup',
  faults: [],
  members: new Map(names.map((name) => [name, fresh])),
})

export function stepGroup(state: GroupState, event: GroupEvent): GroupStep {
  switch (event.type) {
    case 'members': {
      const members = new Map(event.names.map((name) => [name, state.members.get(name) ?? fresh]))
      return judgeFaults({ ...state, members }, 'the members changed')
    }
    case 'faults':
      return judgeFaults({ ...state, faults: event.faults }, event.faults.join(', '))
    case 'faulty':
      return judgeFaults(change(state, event.member, { faulty: event.faulty }), `fault of ${event.member}`)
    case 'unwant':
      return { state: change(state, event.member, { wants: false }), effects: [] }
    case 'want':
      return want(change(state, event.member, { wants: true }), event.member)
    case 'adopted': {
      const next = change(state, event.member, { phase: event.phase })
      const all = next.phase === 'backup' && [...next.members.values()].every(({ phase }) => phase === 'master')
      return { state: all ? { ...next, phase: 'master' } : next, effects: [] }
    }
    case 'turned':
      return turned(change(state, event.member, { phase: event.to, wants: false }), event)
  }
}

function change(state: GroupState, name: string, what: Partial<Member>): GroupState {
  const member = state.members.get(name)
  if (member === undefined) return state
  return { ...state, members: new Map([...state.members, [name, { ...member, ...what }]]) }
}

/** A member goes when the group is master, or all together when the last one wants it. */
function want(state: GroupState, asking: string): GroupStep {
  if (state.phase === 'fault') return { state, effects: [] }
  if (state.phase === 'master') return { state, effects: [{ do: 'tell', member: asking, become: 'master' }] }
  const all = [...state.members].every(([, member]) => member.wants || member.phase === 'master')
  if (!all) return { state, effects: [] }
  const tells = [...state.members]
    .filter(([, member]) => member.phase !== 'master')
    .map(([member]) => ({ do: 'tell', member, become: 'master' }) as const)
  const why = `${asking} was the last to want it`
  return {
    state: { ...state, phase: 'master' },
    effects: [...tells, { do: 'turned', from: 'backup', to: 'master', why }],
  }
}

/** One leaves: all leave. When it yielded, the others do not say priority 0 (reference/vrrp.md §6). */
function turned(state: GroupState, event: Extract<GroupEvent, { type: 'turned' }>): GroupStep {
  if (state.phase !== 'master' || event.to === 'master' || event.to === 'fault' || event.to === 'stopped') {
    return { state, effects: [] }
  }
  const why = `${event.member} left: ${event.why}`
  const tells = [...state.members]
    .filter(([name, member]) => name !== event.member && member.phase === 'master')
    .map(([member]) => ({ do: 'tell', member, become: 'backup', why, resign: event.resigned }) as const)
  return {
    state: { ...state, phase: 'backup' },
    effects: [...tells, { do: 'turned', from: 'master', to: 'backup', why }],
  }
}

function judgeFaults(state: GroupState, why: string): GroupStep {
  const faulty = state.faults.length > 0 || [...state.members.values()].some((member) => member.faulty)
  if (faulty === (state.phase === 'fault')) return { state, effects: [] }
  const to = faulty ? 'fault' : 'backup'
  return {
    state: { ...state, phase: to },
    effects: [
      { do: 'fault', on: faulty },
      { do: 'turned', from: state.phase, to, why: faulty ? why : 'no member has a fault any more' },
    ],
  }
}
