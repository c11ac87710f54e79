import type { CheckConnection } from '@ipvs-director/config'
import { millis, type Clock } from '@ipvs-director/core'
import { Dialer, type DialFailure } from '@ipvs-director/linux'
import type { Attempt } from '../attempt.ts'
import { RunningAttempt } from '../running-attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { reach } from './by-place.ts'
import { Exchanges } from './exchanges.ts'
import { systemFailure } from './failure.ts'
import { Knocker } from './knocker.ts'
import type { Connection, Doors, DoorTold } from './port.ts'
import { isPlain, ownFailure } from './prepare.ts'
import { sockaddr } from './sockaddr.ts'
import { mayMeetItself, metItself, whereOf } from './target.ts'

/** What doors are opened with. */
export interface DoorMeans {
  readonly clock: Clock
  /** Whether the addon's sockets are used for what node:net can do too. */
  readonly kernelSockets: boolean
  /** For connections with wishes of their own (marks, interfaces, local addresses), and where there are no kernel sockets. */
  readonly connect: (at: CheckConnection, attempt: Attempt) => Promise<Connection>
}

/** Each way of asking knows what it asked. */
interface Way {
  ask(place: number, at: CheckConnection): void
  go(): void
  giveUp(place: number): void
}

/** One door is a connection, plain or with wishes, another only a SYN, or a connection over which something is asked. */
export function createDoors(told: DoorTold, means: DoorMeans): Doors {
  const plain = new PlainDoors(told)
  const others = new OtherDoors(told, means)
  const knocker = new Knocker(told)
  const exchanges = new Exchanges(means.clock, told)
  const wayOf = (at: CheckConnection, opening: 'connect' | 'halfOpen'): Omit<Way, 'go'> =>
    opening === 'halfOpen' ? knocker : means.kernelSockets && isPlain(at) ? plain : others
  return {
    ask(place, at, opening) {
      if (typeof opening === 'object') exchanges.ask(place, at, opening)
      else wayOf(at, opening).ask(place, at)
    },
    go() {
      plain.go()
      knocker.go()
      exchanges.go()
    },
    giveUp(place, at, opening) {
      if (typeof opening === 'object') exchanges.giveUp(place)
      else wayOf(at, opening).giveUp(place)
    },
    progress: (place, opening) => (typeof opening === 'object' ? exchanges.progress(place) : undefined),
  }
}

/** Nothing but address and port: one call of the kernel's side for many. */
class PlainDoors implements Way {
  readonly #told: DoorTold
  #dialer: Dialer | undefined
  /** By place: where its address leads to. */
  readonly #known: (CheckConnection | undefined)[] = []
  /** Those for whom nothing could be opened. */
  readonly #refused: (readonly [place: number, failure: ProbeFailure])[] = []

  constructor(told: DoorTold) {
    this.#told = told
  }

  ask(place: number, at: CheckConnection): void {
    try {
      this.#dialer ??= new Dialer((of, failure) => {
        this.#hear(of, failure)
      })
    } catch (error) {
      this.#refused.push([place, ownFailure(error, whereOf(at))])
      return
    }
    if (this.#known[place] !== at) {
      reach(this.#known, place)
      this.#known[place] = at
      this.#dialer.setAddress(place, sockaddr(at.address, at.port), mayMeetItself(at))
    }
    this.#dialer.add(place)
  }

  go(): void {
    this.#dialer?.go()
    for (const [place, failure] of this.#refused.splice(0)) this.#told(place, failure)
  }

  giveUp(place: number): void {
    this.#dialer?.hangUp(place)
  }

  #hear(place: number, failure: DialFailure | undefined): void {
    const at = this.#known[place]
    this.#told(place, failure === undefined || at === undefined ? undefined : probeFailure(failure, whereOf(at)))
  }
}

function probeFailure({ when, error }: DialFailure, where: string): ProbeFailure {
  if (when === 'itself') return new ProbeFailure('refused', `${metItself}: ${where}`)
  return when === 'socket' ? ownFailure(error, where) : systemFailure(error, where, when === 'here')
}

/** As any other probe would open a connection. */
class OtherDoors implements Omit<Way, 'go'> {
  readonly #told: DoorTold
  readonly #means: DoorMeans
  readonly #asked = new Map<number, RunningAttempt>()

  constructor(told: DoorTold, means: DoorMeans) {
    this.#told = told
    this.#means = means
  }

  ask(place: number, at: CheckConnection): void {
    const never = millis(Infinity)
    const attempt = new RunningAttempt(this.#means.clock, never, never)
    this.#asked.set(place, attempt)
    const end = (failure?: ProbeFailure): void => {
      if (this.#asked.get(place) !== attempt) return
      this.#asked.delete(place)
      this.#told(place, failure)
    }
    this.#means.connect(at, attempt).then(
      (opened) => {
        opened.close()
        end()
      },
      (error: unknown) => {
        end(error instanceof ProbeFailure ? error : ownFailure(error, whereOf(at)))
      },
    )
  }

  giveUp(place: number): void {
    const attempt = this.#asked.get(place)
    this.#asked.delete(place)
    attempt?.end('stopped')
  }
}
