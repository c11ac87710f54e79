/** Weights of groups and of their members, and addresses put by hand on a backup: Debian's keepalived and we do the same. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { seconds } from '@ipvs-director/core'
import { capture, upLab, until, type Host, type Lab, type LabProcess } from '../lab/index.ts'
import { addressesOf, endBoth, startKeepalived, startOurs, type OurVrrp } from './vrrp.ts'

const vip = '10.0.0.100'
const patience = seconds(30)

let lab: Lab<'a' | 'b'>
let ours: OurVrrp | undefined
let theirs: LabProcess | undefined

beforeAll(async () => {
  lab = await upLab({
    networks: ['lan'],
    hosts: { a: { links: { lan: ['10.0.0.1/24'] } }, b: { links: { lan: ['10.0.0.2/24'] } } },
  })
  for (const host of [lab.hosts.a, lab.hosts.b]) await host.ip('link add dead0 type dummy')
})
afterAll(() => lab.down())
afterEach(async () => {
  await endBoth(ours, theirs)
  ours = theirs = undefined
  for (const host of [lab.hosts.a, lab.hosts.b])
    await host.run(['ip', 'addr', 'flush', 'dev', 'eth0', 'to', `${vip}/32`])
})

const story = (): string =>
  `ours:\n${ours?.log.join('\n') ?? ''}\ntheirs:\n${theirs?.stdout ?? ''}${theirs?.stderr ?? ''}`

/** What a member and its group say of one and the same interface or script, both of which are bad; priorities of the member and of another. */
const rows = [
  // own, of the group, sync_group_tracking_weight → priorities; undefined: fault
  { own: -10, ofGroup: undefined, counts: true, member: 80, other: 100 },
  { own: undefined, ofGroup: -10, counts: true, member: 80, other: 80 },
  { own: -10, ofGroup: -10, counts: true, member: 80, other: 80 },
  { own: -10, ofGroup: -20, counts: true, member: 60, other: 60 },
  { own: -10, ofGroup: 0, counts: true, member: undefined, other: undefined },
  { own: 0, ofGroup: -20, counts: true, member: undefined, other: undefined },
  { own: -10, ofGroup: -20, counts: false, member: 60, other: 60 },
  { own: -10, ofGroup: undefined, counts: false, member: 90, other: 100 },
] as const

/** VRIDs. */
const [firstOfOurs, firstOfTheirs] = [1, 101]

function configOf(firstVrid: number): string {
  const follow = (weight: number | undefined): string =>
    weight === undefined
      ? ''
      : `track_interface {\n dead0 weight ${weight}\n }\n track_script {\n bad weight ${weight}\n }`
  const instance = (name: string, vrid: number, more: string): string => `vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  priority 100
  version 3
  advert_int 1
  ${more}
  virtual_ipaddress {
    10.0.1.${vrid}/32
  }
}
`
  const groups = rows.map(({ own, ofGroup, counts }, i) => {
    const vrid = firstVrid + 2 * i
    return `vrrp_sync_group G${i} {
  group {
    M${i}
    O${i}
  }
  ${counts ? 'sync_group_tracking_weight' : ''}
  ${follow(ofGroup)}
}
${instance(`M${i}`, vrid, follow(own))}${instance(`O${i}`, vrid + 1, '')}`
  })
  return `global_defs {
  script_user root
}
vrrp_script bad {
  script /bin/false
  interval 1
  weight -1
}
${groups.join('')}`
}

/** The priorities that are advertised, by VRID. */
async function advertised(): Promise<Map<number, number>> {
  const seen = await capture(lab.hosts.a, 'vrrp')
  await new Promise((resolve) => setTimeout(resolve, 2500)) // two adverts of each master
  const found = (await seen.stop()).flatMap((line) => /vrid (\d+), prio (\d+)/.exec(line) ?? [])
  const numbers = found.filter((_, i) => i % 3 !== 0).map(Number)
  return new Map(numbers.flatMap((vrid, i) => (i % 2 === 0 ? [[vrid, numbers[i + 1] ?? 0] as const] : [])))
}

test('what a member and its group follow counts as for keepalived', async () => {
  theirs = startKeepalived(lab.hosts.b, configOf(firstOfTheirs))
  ours = await startOurs(lab.hosts.a, configOf(firstOfOurs))
  const wanted = rows.map(({ member, other }) => [member, other])
  let last: unknown
  const say = async (): Promise<boolean> => {
    const all = await advertised()
    const by = (first: number) => rows.map((_, i) => [all.get(first + 2 * i), all.get(first + 2 * i + 1)])
    last = { ours: by(firstOfOurs), theirs: by(firstOfTheirs) }
    return JSON.stringify(last) === JSON.stringify({ ours: wanted, theirs: wanted })
  }
  await until('both advertise what is wanted', seconds(40), say, () => `${JSON.stringify(last)}\n${story()}`)
})

const instance = (priority: number): string => `vrrp_instance V {
  interface eth0
  virtual_router_id 51
  priority ${priority}
  version 3
  advert_int 0.2
  virtual_ipaddress {
    ${vip}/24
  }
}
`
const has = async (host: Host): Promise<boolean> => (await addressesOf(host)).includes(` ${vip}/`)
const alone = (host: Host, other: Host): Promise<unknown> =>
  until('one alone has it', patience, async () => (await has(host)) && !(await has(other)), story)
const byHand = (host: Host): Promise<unknown> => host.ip(`addr add ${vip}/24 dev eth0`)

/** Longer than we take to believe that somebody put it there (two looks, five seconds apart). */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 11_000))

test('keepalived leaves an address alone that its backup has by hand, until it was master', async () => {
  const { a, b } = lab.hosts
  ours = await startOurs(a, instance(150))
  await until('we are master', patience, () => has(a), story)
  theirs = startKeepalived(b, instance(100))
  await theirs.says(/Entering BACKUP/)
  await byHand(b)
  await aWhile()
  expect(await has(b)).toBe(true)
  await ours.process.stop()
  await alone(b, a)
  await theirs.says(/Entering MASTER/)
  ours = await startOurs(a, instance(150))
  await alone(a, b)
})

test('so do we, and tell of it', async () => {
  const { a, b } = lab.hosts
  theirs = startKeepalived(b, instance(150))
  await until('keepalived is master', patience, () => has(b), story)
  ours = await startOurs(a, instance(100))
  await until('we are backup', patience, async () => (await ours?.state()) === 'backup', story)
  await byHand(a)
  await until('it is told', patience, () => Promise.resolve(ours?.events.some((event) => event.type === 'alarm' && event.kind === 'stray') === true), story) // prettier-ignore
  expect(await has(a)).toBe(true)
  await theirs.stop()
  await alone(a, b)
  await until('we are master', patience, async () => (await ours?.state()) === 'master', story)
  theirs = startKeepalived(b, instance(150))
  await alone(b, a)
})
