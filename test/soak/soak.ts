import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration, millis, type Millis } from '@ipvs-director/core'
import { connectFrom, converse, keepVisiting, type LongConnection, type Visits } from '../lab/index.ts'
import { addressesOf } from '../integration/vrrp.ts'
import { happenings } from './happenings.ts'
import { unexplained, type Done } from './ledger.ts'
import { choiceBy, seeded } from './random.ts'
import { makeWorld, vip, type World } from './world.ts'

export interface SoakOptions {
  readonly length: Millis
  readonly seed: number
  readonly say: (line: string) => void
}

export interface SoakReport {
  /** What was done and seen, a line each. */
  readonly lines: readonly string[]
  /** Everything that must not be; empty: all is well. */
  readonly failures: readonly string[]
}

/** After this an event has no more to do with what was done (milliseconds): two probes that time out, and as much again. */
const slack = 20_000
/** So many happenings between two looks at whether everything is as it should be; every so many of those are a rest. */
const stretch = 6
const restEvery = 2
/** Longer than the slack, so that a change in it has no cause. */
const rest = slack + 5000
const sampleEvery = 5000
const openConnections = 6

/** Two directors under load, to which anything happens, for so long. Everything that happened is judged at the end. */
export async function soak({ length, seed, say }: SoakOptions): Promise<SoakReport> {
  const choice = choiceBy(seeded(seed))
  const began = performance.now()
  const elapsed = (): string => formatDuration(performance.now() - began)
  const world = await makeWorld()
  const failures: string[] = []
  const counts = new Map<string, number>()
  try {
    await world.settled('at the start')
    const open: LongConnection[] = []
    for (let i = 0; i < openConnections; i++) open.push(await connectFrom(world.lab.hosts.client, vip, 8))
    const talk = converse(open, millis(100))
    const visits = keepVisiting(world.lab.hosts.client, vip, 7, millis(50))
    const samples = sampling(world)
    const stalls = watchMachine(world)
    const looker = lookAtFailures(world, visits, say)
    const end = performance.now() + length
    for (let stretches = 1; performance.now() < end; stretches++) {
      for (let i = 0; i < stretch && performance.now() < end; i++) {
        const happening = choice.weighted(happenings)
        const pause = choice.whole(500, 4000)
        const what = await happening.happen(world, choice)
        say(`${wallClock(Date.now())}, ${elapsed()}: ${what}`)
        counts.set(happening.name, (counts.get(happening.name) ?? 0) + 1)
        await sleep(pause)
      }
      await world.settled(`after ${elapsed()}`)
      if (stretches % restEvery === 0 && performance.now() + rest < end) {
        say(`${wallClock(Date.now())}, ${elapsed()}: a rest`)
        await sleep(rest)
      }
      if (talk.broken.length > 0) break
    }
    await world.settled('at the end')
    await visits.stop()
    await talk.stop()
    await samples.stop()
    stalls.stop()
    looker.stop()
    for (const connection of open) connection.end()
    failures.push(...talk.broken.map((text) => `a connection through the untouched server broke: ${text}`))
    const lost = visits.failedAt.filter((at) => !disturbed(world.done, at))
    failures.push(...lost.map((at) => `a visit failed ${wallClock(at)}, and nothing explains it`))
    failures.push(...(await judge(world)))
    const lines = [
      `seed ${seed}, ${elapsed()}: ${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')}`,
      `${talk.exchanges} exchanges on ${open.length} connections, ${talk.broken.length} broken; ` +
        `${visits.served} visits served, ${visits.refused} refused, ${visits.cut} cut, ${lost.length} of them unexplained`,
      `the machine stood still ${stalls.count} times for more than ${stallFrom / 1000} s, ${formatDuration(stalls.worst)} at worst`,
      ...Object.values(world.sides).map(
        ({ name, watched }) => `${name}: ${watched.events.length} events, ${watched.gaps().length} lost`,
      ),
      ...Object.values(world.sides).flatMap(({ watched }) => watched.growth().lines),
    ]
    return { lines, failures }
  } finally {
    await world.lab.down()
  }
}

/** What the events and figures of all runs say, and what is left when both have ended. */
async function judge(world: World): Promise<string[]> {
  const failures: string[] = []
  for (const { name, watched } of Object.values(world.sides)) {
    failures.push(...watched.gaps().map((gap) => `events are lost: ${gap}`))
    for (const event of unexplained(watched.events, world.done, slack))
      failures.push(`nothing explains ${wallClock(event.at)} on ${name}: ${event.event}: ${event.message}`)
    failures.push(...watched.growth().leaks)
  }
  for (const { name, director } of Object.values(world.sides)) {
    const code = await director.process.stop()
    if (code !== 0) failures.push(`${name} ended with ${code}`)
  }
  failures.push(...(await world.leftOver()).map((command) => `left running: ${command}`))
  return failures
}

const wallClock = (at: number): string => new Date(at).toISOString().slice(11, 23)

/** Clients may notice what takes a server, the VIP's holder or the link away; nothing else. */
function disturbed(done: readonly Done[], at: number): boolean {
  const felt: readonly Done['cause'][] = ['server', 'vrrp', 'link', 'machine']
  // A visit fails some seconds after its cause.
  return done.some(({ cause, from, to }) => felt.includes(cause) && at >= from && at <= to + slack)
}

/** A timer that comes so much too late (milliseconds) means that nothing at all had its turn. */
const stallFrom = 1000

/** A machine that others use, too, stands still at times: then probes and adverts are late, and it is nobody's fault. */
function watchMachine({ done }: World): { readonly count: number; readonly worst: number; stop(): void } {
  const state = { count: 0, worst: 0 }
  const every = 200
  let last = Date.now()
  const timer = setInterval(() => {
    const now = Date.now()
    const late = now - last - every
    if (late > stallFrom) {
      done.push({ cause: 'machine', from: last, to: now })
      state.count++
      state.worst = Math.max(state.worst, late)
    }
    last = now
  }, every)
  return {
    get count() {
      return state.count
    },
    get worst() {
      return state.worst
    },
    stop() {
      clearInterval(timer)
    },
  }
}

/** While visits fail: where the client sends what is for the VIP, and who has it. */
function lookAtFailures({ lab }: World, visits: Visits, say: SoakOptions['say']): { stop(): void } {
  let seen = 0
  let looking = false
  const look = async (): Promise<void> => {
    const { client, one, two } = lab.hosts
    const to = (await client.output(['ip', 'neigh', 'show', vip])).trim()
    const macs = await Promise.all([one, two].map((host) => host.output(['ip', '-br', 'link', 'show', 'eth0'])))
    const holders = await Promise.all([one, two].map((host) => addressesOf(host)))
    const has = holders.map((text) => (text.includes(` ${vip}/`) ? 'has it' : 'has it not'))
    say(`${wallClock(Date.now())}: visits fail (${visits.failedAt.length}): ${to}; one ${macOf(macs[0])} ${has[0]}; two ${macOf(macs[1])} ${has[1]}`) // prettier-ignore
  }
  const timer = setInterval(() => {
    if (looking || visits.failedAt.length === seen) return
    seen = visits.failedAt.length
    looking = true
    void look()
      .catch(() => undefined)
      .finally(() => (looking = false))
  }, 2000)
  return {
    stop() {
      clearInterval(timer)
    },
  }
}

const macOf = (text = ''): string => /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/.exec(text)?.[0] ?? '?'

function sampling({ sides }: World): { stop(): Promise<void> } {
  const state = { over: false }
  const look = async (): Promise<void> => {
    for (const { watched } of Object.values(sides)) await watched.look()
  }
  const looking = (async (): Promise<void> => {
    while (!state.over) {
      await look()
      await sleep(sampleEvery)
    }
    await look()
  })()
  return {
    async stop() {
      state.over = true
      await looking
    },
  }
}
