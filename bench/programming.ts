import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { millis, type Millis } from '@ipvs-director/core'
import { diff, openIpvs, type IpvsClient, type Table } from 'ipvs-netlink'
import type { Finding } from './findings.ts'
import { contest, median, timed } from './measure.ts'
import { clear, directorStart, hasDirector, ipvsadmList, ipvsadmRestore, keepalivedStart } from './peers.ts'
import { configOf, nameOf, rulesOf, tableOf, type Shape } from './shapes.ts'

const rounds = 3
const shapes: readonly Shape[] = [
  { services: 5000, destinations: 2 },
  { services: 200, destinations: 100 },
  { services: 1, destinations: 10_000 },
]

/** GOALS "Programming the kernel": filling the kernel's table, reading it back, starting, and how that grows. */
export async function programming(say: (text: string) => void): Promise<Finding[]> {
  const client = await openIpvs()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const findings: Finding[] = []
    for (const shape of shapes) {
      say(`${nameOf(shape)}: installing, reading back, starting`)
      findings.push(...(await oneShape(client, shape, folder)))
    }
    say('growth from 10,000 to 100,000 destinations')
    findings.push(await growth(client))
    await clear()
    return findings
  } finally {
    client.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function oneShape(client: IpvsClient, shape: Shape, folder: string): Promise<Finding[]> {
  const [table, rules, total] = [tableOf(shape), rulesOf(shape), shape.services * shape.destinations]
  const file = join(folder, 'keepalived.conf')
  writeFileSync(file, configOf(shape))
  const taken = await contest(rounds, {
    install: () => install(client, table),
    read: () => timed(() => client.table()),
    audit: () => audit(client, table),
    list: ipvsadmList,
    restore: () => ipvsadmRestore(rules),
    keepalived: () => keepalivedStart(file, folder, total),
    director: () => (hasDirector() ? directorStart(file, folder, total) : Promise.resolve(millis(NaN))),
  })
  const name = nameOf(shape)
  const { install: ours, read, audit: audited, list, restore, keepalived, director } = taken
  return [
    { what: `install ${name}`, ours, peer: 'ipvsadm -R', theirs: restore, goal: 0.05 },
    { what: `install ${name}`, ours, peer: 'keepalived, start to full table', theirs: keepalived, goal: 0.15 },
    { what: `audit ${name}, unchanged`, ours: audited, peer: 'ipvsadm -Ln', theirs: list, goal: 0.2 },
    { what: `read back ${name} by netlink`, ours: read, peer: 'ipvsadm -Ln', theirs: list, goal: undefined },
    { what: `start to full table ${name}`, ours: director, peer: 'keepalived', theirs: keepalived, goal: 0.6 },
  ]
}

/** From the known table to the kernel's last word. Leaves the table full for the contestants that read. */
async function install(client: IpvsClient, table: Table): Promise<Millis> {
  await clear()
  return timed(async () => {
    const refused = (await client.execute(diff(new Map(), table))).find((error) => error !== undefined)
    if (refused !== undefined) throw refused
  })
}

async function audit(client: IpvsClient, expected: Table): Promise<Millis> {
  let drift = 0
  const taken = await timed(async () => {
    drift = diff(await client.audit(expected), expected, { owned: () => true }).length
  })
  if (drift > 0) throw new Error(`an unchanged table shows ${drift} differences`)
  return taken
}

/** Ten times the destinations must take ten times as long; 1.3 is the noise that is allowed. */
async function growth(client: IpvsClient): Promise<Finding> {
  const [small, large] = [
    tableOf({ services: 1000, destinations: 10 }),
    tableOf({ services: 10_000, destinations: 10 }),
  ]
  const perTen = await contest(rounds, { small: () => install(client, small), large: () => install(client, large) })
  return {
    what: 'install 100,000 destinations',
    ours: perTen.large,
    peer: 'ten times 10,000 destinations',
    theirs: median([perTen.small * 10]),
    goal: 1.3,
  }
}
