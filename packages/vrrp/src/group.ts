import type { SyncGroup } from '@ipvs-director/config'
import type { NotifyState } from './events.ts'
import type { GroupFace, Instance } from './instance.ts'
import type { Surroundings } from './surroundings.ts'
import { type GroupEffect, type GroupEvent, type GroupPhase, initialGroup, stepGroup } from './sync-group.ts'

/** The driver of a sync group: it carries what the machine says to the members. */
export interface Group {
  readonly config: () => SyncGroup
  /** What a member sees of it. */
  readonly face: (member: string) => GroupFace
  readonly configure: (config: SyncGroup) => void
  /** A group made by a reload: its members may be master already. */
  readonly adopt: () => void
  readonly status: () => GroupStatus
  /** At the start, and at the end. */
  readonly announce: (state: NotifyState, why: string) => void
}

export interface GroupStatus {
  readonly name: string
  readonly state: GroupPhase
  /** Wall clock, milliseconds since 1970. */
  readonly since: number
  readonly why: string
  readonly members: readonly string[]
}

const notifyStates = { backup: 'BACKUP', master: 'MASTER', fault: 'FAULT' } as const

export function createGroup(
  initial: SyncGroup,
  { clock, logger, tell }: Surroundings,
  member: (name: string) => Instance | undefined,
): Group {
  let config = initial
  let state = initialGroup(config.instances)
  let told: NotifyState | undefined
  let since = clock.wall()
  let why = 'started'

  const dispatch = (event: GroupEvent): void => {
    const step = stepGroup(state, event)
    state = step.state
    for (const effect of step.effects) perform(effect)
  }

  const perform = (effect: GroupEffect): void => {
    switch (effect.do) {
      case 'tell':
        member(effect.member)?.dispatch(
          effect.become === 'master'
            ? { type: 'groupMaster' }
            : { type: 'groupBackup', why: effect.why, resign: effect.resign },
        )
        return
      case 'fault':
        for (const name of state.members.keys()) member(name)?.refresh()
        return
      case 'turned':
        announce(notifyStates[effect.to], effect.why)
        return
    }
  }

  const announce = (now: NotifyState, reason: string): void => {
    why = reason
    since = clock.wall()
    logger.info('vrrp.group', `VRRP_Group(${config.name}) Syncing instances to ${now} state: ${reason}`, {
      group: config.name,
    })
    tell({ type: 'group', name: config.name, state: now, from: told, why: reason, at: since })
    told = now
  }

  return {
    config: () => config,
    face: (name) => ({
      config,
      isFaulty: () => state.phase === 'fault',
      wasTold: (now) => told === now,
      want: () => {
        dispatch({ type: 'want', member: name })
      },
      unwant: () => {
        dispatch({ type: 'unwant', member: name })
      },
      turned: (to, reason, resigned) => {
        dispatch({ type: 'turned', member: name, to, why: reason, resigned })
      },
      faulty: (faulty) => {
        dispatch({ type: 'faulty', member: name, faulty })
      },
      heardLower: () => {
        for (const other of state.members.keys()) if (other !== name) member(other)?.dispatch({ type: 'groupAnnounce' })
      },
    }),
    configure(now) {
      config = now
      dispatch({ type: 'members', names: now.instances })
    },
    adopt() {
      for (const name of state.members.keys()) {
        const phase = member(name)?.state().phase
        if (phase !== undefined) dispatch({ type: 'adopted', member: name, phase })
      }
    },
    status: () => ({ name: config.name, state: state.phase, since, why, members: config.instances }),
    announce,
  }
}
