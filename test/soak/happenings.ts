import { setTimeout as sleep } from 'node:timers/promises'
import { seconds } from '@ipvs-director/core'
import { until } from '../lab/index.ts'
import type { Choice } from './random.ts'
import { endpointOf, vip, type DirectorName, type Health, type ServerName, type Side, type World } from './world.ts'

/** Something that happens, by the seed's choices. */
export interface Happening {
  readonly name: string
  /** How often, compared with the others. */
  readonly weight: number
  /** Does it; resolves with what it was, in a few words. */
  happen(world: World, choice: Choice): Promise<string>
}

const touched: readonly [ServerName, ...ServerName[]] = ['rs2', 'rs3', 'rs4']
/** One of them is always in the file, and may be steered. */
const steerable: readonly [ServerName, ...ServerName[]] = ['rs2', 'rs3']
const sideOf = ({ sides }: World, choice: Choice): Side => sides[choice.oneOf<DirectorName>(['one', 'two'])]

async function turnServer(world: World, choice: Choice): Promise<string> {
  const name = choice.oneOf(touched)
  const bad = choice.oneOf<Health>(['dead', 'hangs', 'fails'])
  const server = world.servers.get(name)
  if (server === undefined) throw new Error(name)
  const health = server.health === 'up' ? bad : 'up'
  await world.cause('server', { server: endpointOf(name) }, () => world.setHealth(server, health))
  return `${name} ${health}`
}

async function reload(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const name = choice.oneOf(touched)
  const weight = choice.whole(1, 5)
  if (name === 'rs4' && side.file.has(name) && weight > 2) side.file.delete(name)
  else side.file.set(name, weight)
  world.write(side)
  // A server that comes into the file has its first verdict anew.
  await world.cause(['reload', 'start'], { director: side.name }, async () => {
    const { ok, diagnostics } = await side.watched.client.reload()
    if (!ok) throw new Error(`reload refused: ${diagnostics.join('\n')}`)
  })
  return `${side.name} reloads: ${name} ${side.file.get(name) ?? 'out'}`
}

async function steer(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const name = choice.oneOf(steerable)
  const kind = choice.oneOf(['disabled', 'drained', 'weight'] as const)
  const weight = choice.whole(1, 9)
  const server = endpointOf(name)
  const { client } = side.watched
  const steered = kind === 'weight' ? weight : kind
  if (side.steered.has(name)) {
    side.steered.delete(name)
    await world.cause('steer', { director: side.name }, () => client.steer({ action: 'reset', server }))
    return `${side.name}: ${name} as configured`
  }
  side.steered.set(name, steered)
  await world.cause('steer', { director: side.name }, async () => {
    if (kind === 'weight') await client.steer({ action: 'weight', server, weight })
    else if (kind === 'disabled') await client.steer({ action: 'disable', server })
    else await client.steer({ action: 'drain', server, deadline: 1000 })
  })
  return `${side.name}: ${name} ${kind === 'weight' ? `weight ${weight}` : kind}`
}

/** The weight of a server that is always there, so that nobody is cut. */
async function tamper(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const weight = choice.whole(2, 9)
  const entry = ['-e', '-t', `${vip}:7`, '-r', endpointOf('rs1'), '-g', '-w', String(weight)]
  await world.cause('tamper', { director: side.name }, () => world.lab.hosts[side.name].output(['ipvsadm', ...entry]))
  return `somebody sets a weight on ${side.name}`
}

async function killProber(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const { probers } = await side.watched.client.status()
  await world.cause('prober', { director: side.name }, async () => {
    for (const { pid } of probers) if (pid !== undefined) signal(pid, 'SIGKILL')
  })
  return `a prober of ${side.name} is killed`
}

async function hurtVrrp(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const stall = choice.whole(0, 1) === 1
  const length = choice.whole(500, 3000)
  const pid = (await side.watched.client.status()).vrrp?.pid
  if (pid === undefined) return `${side.name} has no VRRP at the moment`
  await world.cause('vrrp', {}, async () => {
    signal(pid, stall ? 'SIGSTOP' : 'SIGKILL')
    if (!stall) return
    await sleep(length)
    signal(pid, 'SIGCONT')
  })
  return stall ? `VRRP of ${side.name} stands still for ${length} ms` : `VRRP of ${side.name} is killed`
}

async function move(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const length = choice.whole(500, 3000)
  const { client } = side.watched
  await world.cause('vrrp', {}, async () => {
    await untilTaken(() => client.vrrp('hold', 'VI_1'))
    await sleep(length)
    await untilTaken(() => client.vrrp('release', 'VI_1'))
  })
  return `${side.name} held back for ${length} ms`
}

/** A vrrp process that is being started does not answer yet. */
async function untilTaken(ask: () => Promise<void>): Promise<void> {
  const taken = (): Promise<boolean> => ask().then(() => true, () => false) // prettier-ignore
  await until('VRRP takes a command', seconds(60), taken)
}

async function flap(world: World, choice: Choice): Promise<string> {
  const side = sideOf(world, choice)
  const length = choice.whole(300, 4000)
  const host = world.lab.hosts[side.name]
  await world.cause('vrrp', {}, () =>
    world.cause(['link', 'start'], { director: side.name }, async () => {
      await host.ip('link set eth0 down')
      await sleep(length)
      await host.ip('link set eth0 up')
    }),
  )
  return `link of ${side.name} down for ${length} ms`
}

/** The other director is never ended: what grows shows there. */
async function end(world: World, choice: Choice): Promise<string> {
  const side = world.sides.one
  const how = choice.oneOf(['stop', 'stop --keep', 'kill -9'] as const)
  const away = choice.whole(0, 3000)
  await side.watched.look()
  await world.cause('vrrp', {}, () =>
    world.cause('start', { director: side.name }, async () => {
      if (how === 'kill -9') await side.director.kill()
      else {
        await side.watched.client.stop({ keep: how === 'stop --keep' })
        const code = await side.director.process.ended
        if (code !== 0) throw new Error(`the director ended with ${code}`)
      }
      await sleep(away)
      await world.start(side)
    }),
  )
  return `one: ${how}, back after ${away} ms`
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself meanwhile.
  }
}

export const happenings: readonly [Happening, ...Happening[]] = [
  { name: 'server', weight: 30, happen: turnServer },
  { name: 'reload', weight: 14, happen: reload },
  { name: 'steer', weight: 16, happen: steer },
  { name: 'tamper', weight: 6, happen: tamper },
  { name: 'prober', weight: 6, happen: killProber },
  { name: 'vrrp', weight: 7, happen: hurtVrrp },
  { name: 'move', weight: 7, happen: move },
  { name: 'link', weight: 7, happen: flap },
  { name: 'end', weight: 7, happen: end },
]
