import type { Millis } from '@ipvs-director/core'
import type { Host } from '../test/lab/index.ts'
import type { Finding } from './findings.ts'
import { fresh } from './fresh.ts'
import { mediansOf } from './measure.ts'
import { directorStart, ipvsadmList, ipvsadmRestore, keepalivedStart, ownClient } from './peers.ts'
import { configOf, nameOf, type Shape } from './shapes.ts'

const rounds = 3
const shapes: readonly Shape[] = [
  { services: 5000, destinations: 2 },
  { services: 200, destinations: 100 },
  { services: 1, destinations: 10_000 },
]

/** GOALS "Programming the kernel": filling the kernel's table, reading it back, starting, and how that grows. */
export async function programming(say: (text: string) => void): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const shape of shapes) {
    say(`${nameOf(shape)}: installing, reading back, starting`)
    findings.push(...(await oneShape(shape)))
  }
  say('growth from 10,000 to 100,000 destinations')
  findings.push(await growth())
  return findings
}

async function oneShape(shape: Shape): Promise<Finding[]> {
  const taken = await mediansOf(rounds, async () => ({
    ...(await fresh(async (host) => ({ ...(await ownClient(host, shape)), list: await ipvsadmList(host) }))),
    restore: await fresh((host) => ipvsadmRestore(host, shape)),
    keepalived: await fresh((host) => keepalivedStart(host, shape, config(host, shape))),
    director: await fresh((host) => directorStart(host, shape, config(host, shape))),
  }))
  const name = nameOf(shape)
  const { install: ours, read, audit, list, restore, keepalived, director } = taken
  return [
    { what: `install ${name}`, ours, peer: 'ipvsadm -R', theirs: restore, goal: 0.05 },
    { what: `install ${name}`, ours, peer: 'keepalived, start to full table', theirs: keepalived, goal: 0.15 },
    { what: `audit ${name}, unchanged`, ours: audit, peer: 'ipvsadm -Ln', theirs: list, goal: auditGoal(shape) },
    { what: `read back ${name} by netlink`, ours: read, peer: 'ipvsadm -Ln', theirs: list, goal: undefined },
    { what: `start to full table ${name}`, ours: director, peer: 'keepalived', theirs: keepalived, goal: 0.6 },
  ]
}

/** Where a service has few destinations; ipvsadm asks for those of one by one call. */
const auditGoal = ({ services }: Shape): number | undefined => (services === 5000 ? 0.2 : undefined)

const config = (host: Host, shape: Shape): string => host.writeFile('keepalived.conf', configOf(shape))

/** Ten times the destinations must take ten times as long; the rest up to 1.3 is noise that is allowed. */
async function growth(): Promise<Finding> {
  const { small, large } = await mediansOf(rounds, async () => ({
    small: await install({ services: 1000, destinations: 10 }),
    large: await install({ services: 10_000, destinations: 10 }),
  }))
  const theirs = (small * 10) as Millis
  return { what: 'install 100,000 destinations', ours: large, peer: 'ten times 10,000 of them', theirs, goal: 1.3 }
}

const install = async (shape: Shape): Promise<Millis> => (await fresh((host) => ownClient(host, shape))).install
