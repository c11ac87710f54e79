/**
 * Debian's keepalived and we, one after the other in one host, with one configuration that fills every table: Debian's
 * snmpwalk reads the same from both, and Debian's snmptrapd hears the same notifications. What differs is listed here and in
 * docs/guides/snmp.md, with the reason.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { address, seconds } from '@ipvs-director/core'
import { openVrrpSocket, withinNamespace } from '@ipvs-director/linux'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveTcp, until, upLab, type Lab, type LabProcess } from '../lab/index.ts'
import { findProgram } from '../lab/tools.ts'
import { startDirector } from './director.ts'
import { startSnmp, type SnmpOfHost } from './scenarios/snmp.ts'
import { everything } from './snmp-config.ts'
import { writeBasicMibs } from './snmp-mibs.ts'

const needed = ['snmpd', 'snmptrapd', 'snmpwalk', 'snmptable', 'keepalived']
const missing = needed.filter((name) => findProgram(name) === undefined)
const mibFolder = '/usr/share/snmp/mibs'
const spec = {
  networks: ['lan', 'side'],
  hosts: {
    node: { links: { lan: ['192.168.10.11/24', 'fd00:10::11/64'], side: ['192.168.20.11/24'] } },
    servers: {
      links: { lan: ['192.168.10.31/24', '192.168.10.32/24', 'fd00:10::31/64'], side: ['192.168.20.1/24'] },
    },
  },
} as const
const patience = seconds(90)
const keepalived = '.1.3.6.1.4.1.9586.100.5'
const [v2, v3] = ['.1.3.6.1.2.1.68', '.1.3.6.1.2.1.207']

type Walk = ReadonlyMap<string, string>

let lab: Lab<'node' | 'servers'>
let snmp: SnmpOfHost
const walks: { theirs?: Walk; ours?: Walk } = {}
const traps: { theirs?: readonly string[]; ours?: readonly string[] } = {}
let named = ''
let table = ''

const env = { MIBS: '', LC_ALL: 'C' }
const agent = '127.0.0.1:1161'
const ask = (program: string, ...args: string[]): Promise<string> =>
  lab.hosts.node.output([findProgram(program) ?? '', '-v2c', '-c', 'public', '-t', '10', ...args], { env })

/** Every value under the three MIBs: `TYPE: value` by its name. */
async function walk(): Promise<Walk> {
  const texts = [await ask('snmpwalk', '-On', agent, keepalived), await ask('snmpwalk', '-On', agent, v2), await ask('snmpwalk', '-On', agent, v3)] // prettier-ignore
  const lines = texts.join('\n').split('\n')
  return new Map(lines.flatMap((line) => { const [, name, value] = /^(\.[\d.]+) = (.*?) *$/.exec(line) ?? []; return name === undefined ? [] : [[name, value ?? '']] })) // prettier-ignore
}

/** What is right once everything has settled: priorities with their trackers, masters, servers up. */
const settled: readonly (readonly [string, string])[] = [
  [`${keepalived}.2.1.1.3.1`, '2'],
  [`${keepalived}.2.3.1.4.1`, '2'],
  [`${keepalived}.2.3.1.4.3`, '2'],
  [`${keepalived}.2.3.1.4.4`, '2'],
  [`${keepalived}.2.3.1.4.5`, '2'],
  [`${keepalived}.2.3.1.8.1`, '151'],
  [`${keepalived}.2.3.1.8.3`, '99'],
  [`${keepalived}.2.9.1.6.1`, '3'],
  [`${keepalived}.3.3.1.21.2`, '2'],
  [`${keepalived}.3.3.1.23.2`, '1'],
]

async function isSettled(): Promise<boolean> {
  const { node } = lab.hosts
  const got = await node.run([findProgram('snmpget') ?? '', '-v2c', '-c', 'public', '-Oqnv', agent, ...settled.map(([name]) => name)], { env }) // prettier-ignore
  return got.stdout.trim() === settled.map(([, value]) => value).join('\n')
}

/** One advertisement of each kind that is not believed. */
async function forge(): Promise<void> {
  const { servers } = lab.hosts
  const socket = withinNamespace(`/run/netns/${servers.namespace}`, () =>
    openVrrpSocket(
      { family: 'inet', protocol: 112, interface: { name: 'eth0', index: 2 }, group: undefined, source: undefined },
      { packet: () => undefined, error: () => undefined },
    ),
  )
  const addresses = [192, 168, 10, 100, 192, 168, 10, 101, 192, 168, 10, 104]
  const withAuth = (type: number): number[] => [
    0x21,
    51,
    1,
    3,
    type,
    1,
    0,
    0,
    ...addresses,
    ...Buffer.from('wrong\0\0\0'),
  ]
  const bad: readonly (readonly [number, readonly number[]])[] = [
    [254, [0x31, 52, 1, 1, 0, 100, 0, 0, 192, 168, 10, 102]],
    [255, [0x21, 52, 1, 1, 0, 1, 0, 0, 192, 168, 10, 102, 0, 0, 0, 0, 0, 0, 0, 0]],
    [255, [0x31, 52, 1, 1, 0, 100, 0xba, 0xad, 192, 168, 10, 102]],
    [255, withAuth(7)],
    [255, withAuth(0)],
    [255, withAuth(1)],
  ]
  const destination = address('224.0.0.18')
  for (const [ttl, payload] of bad) {
    const header = [0x45, 0xc0, 0, 20 + payload.length, 0, 1, 0, 0, ttl, 112, 0, 0, 192, 168, 10, 31, 224, 0, 0, 18]
    socket.send({ source: address('192.168.10.31'), destination, ttl, bytes: Buffer.from([...header, ...payload]) })
  }
  socket.close()
}

/** The notifications of one program, without the time, without the count of servers up, which depends on who answered first. */
const trapLines = (text: string): string[] =>
  text.split('\n').flatMap((line) => {
    const [, ...binds] = line.split('\t')
    // Notifications of our own: the machine stood still, somebody disagrees.
    if (line.includes('.1.3.6.1.4.1.8072.9999.9999.112.')) return []
    const told = binds.join(' ').replaceAll(/ +/g, ' ').replace(`${keepalived}.3.3.1.21 = Gauge32: `, '')
    return told.includes('.1.3.6.1.6.3.1.1.5.') || binds.length === 0 ? [] : [told.replace(/(3\.3\.1\.22 = Gauge32: \d+ )\d+ /, '$1').replace(/(3\.3\.1\.8 = INTEGER: \d+ )\d+ (?=\S+3\.3\.1\.20)/, '$1').trim()] // prettier-ignore
  })

const wanted = { errors: 6, stopped: 6 }

/** From the start to the end of one program: what a walk reads, and what snmptrapd hears. */
async function life(
  start: () => LabProcess | Promise<LabProcess>,
): Promise<{ readonly walked: Walk; end: () => Promise<string[]> }> {
  const before = snmp.traps().length
  const program = await start()
  const story = (): string => `${program.stdout}${program.stderr}\n${snmp.traps().slice(before)}`
  await until('everything has settled', patience, isSettled, story)
  await forge()
  const heard = (): string[] => trapLines(snmp.traps().slice(before))
  const count = (...names: string[]): number => heard().filter((line) => names.some((name) => line.includes(`OID: ${name}`))).length // prettier-ignore
  await until('the bad adverts are told', patience, () => count(`${v2}.0.2`, `${v3}.0.2`) >= wanted.errors, story)
  let walked: Walk = new Map()
  // Figures may be some seconds old, and on a busy machine an instance may leave and come back.
  await until('a walk shows all of it at once', patience, async () => {
    walked = await walk()
    const shown = (name: string): string => walked.get(name)?.replace(/^\w+: /, '') ?? ''
    const told = [4, 10, 11].every((column) => shown(`${v2}.2.4.1.${column}.2.51`) === '1')
    return told && shown(`${v3}.1.2.1.0`) === '1' && settled.every(([name, value]) => shown(name) === value)
  }, story) // prettier-ignore
  return {
    walked,
    async end() {
      await program.stop('SIGTERM')
      await until('the end of it all is told', patience, () => heard().filter((line) => line.includes(`${keepalived}.3.3.1.23 = INTEGER: 3`)).length >= 4 && heard().some((line) => line.includes(`${keepalived}.2.1.1.3 = INTEGER: 5`)), story) // prettier-ignore
      return heard()
    },
  }
}

describe.skipIf(missing.length > 0)(`SNMP beside keepalived (skipped without ${needed.join(', ')})`, () => {
  beforeAll(async () => {
    lab = await upLab(spec)
    const { node, servers } = lab.hosts
    for (const at of ['192.168.10.31', '192.168.10.32'])
      await serveTcp(servers, { port: 80, address: at, connection: (socket) => socket.end() })
    await serveTcp(servers, { port: 8080, address: '192.168.10.31', connection: (socket) => socket.end() })
    node.writeFile('tracked', '4\n')
    const text = everything(node.folder)
    snmp = await startSnmp(node)
    const file = node.writeFile('theirs.conf', text)
    const pids = ['p', 'r', 'c', 'b'].flatMap((flag) => [`-${flag}`, join(node.folder, `${flag}.pid`)])
    const theirs = await life(() => node.spawn(['keepalived', '-n', '-l', '-D', '-f', file, ...pids]))
    walks.theirs = theirs.walked
    traps.theirs = await theirs.end()
    const ours = await life(async () => (await startDirector(node, text)).process)
    walks.ours = ours.walked
    const basics = join(node.folder, 'mibs')
    mkdirSync(basics)
    writeBasicMibs(basics)
    const mibs = ['-M', `${basics}:${mibFolder}`, '-m', 'KEEPALIVED-MIB:VRRP-MIB:VRRPV3-MIB']
    named = `${await ask('snmpwalk', ...mibs, agent, keepalived)}${await ask('snmpwalk', ...mibs, agent, v2)}${await ask('snmpwalk', ...mibs, agent, v3)}`
    table = await ask('snmptable', ...mibs, '-Cf', ';', agent, 'KEEPALIVED-MIB::realServerTable')
    traps.ours = await ours.end()
  }, 400_000)
  afterAll(async () => {
    await snmp.stop()
    await lab.down()
  })

  test('a walk reads the same names with the same values, but for what is documented', () => {
    const differing: string[] = []
    const theirs = new Map([...(walks.theirs ?? [])].map(([name, value]) => [withLength(name), value]))
    for (const name of new Set([...theirs.keys(), ...(walks.ours?.keys() ?? [])])) {
      const [a, b] = [theirs.get(name), walks.ours?.get(name)]
      if (a !== b && excuse(name, a === undefined) === undefined) differing.push(`${name}: keepalived ${a ?? 'nothing'}, we ${b ?? 'nothing'}`) // prettier-ignore
    }
    expect(differing).toEqual([])
    expect(theirs.size).toBeGreaterThan(1000)
  })

  test('nothing of keepalived’s is missing, whatever its value', () => {
    // advmss where none is given: keepalived goes by the hoplimit.
    const missed = [...(walks.theirs?.keys() ?? [])]
      .map(withLength)
      .filter((name) => walks.ours?.has(name) !== true && !name.startsWith(`${keepalived}.2.7.1.25.`))
    expect(missed).toEqual([])
  })

  test('the notifications are the same: names, order of the variables, types and values', () => {
    // Each once: on a busy machine an instance may become master twice.
    const kinds = (heard: readonly string[] = []): string[] => [...new Set(heard)].sort()
    expect(kinds(traps.ours)).toEqual(kinds(traps.theirs))
    expect(kinds(traps.ours).length).toBeGreaterThan(35)
  })

  test('each value has the type that the MIB says, and each name but those newer than Debian’s MIB is known', () => {
    expect(named.split('\n').filter((line) => /Wrong Type|should be/.test(line))).toEqual([])
    const unknown = named.split('\n').flatMap((line) => /^(?:KEEPALIVED-MIB::(?:\w+Entry|global|vrrp|check|keepalived)|SNMPv2-SMI::\w+)\.[\d.]+/.exec(line)?.[0] ?? []) // prettier-ignore
    const columns = new Set(unknown.map((name) => name.replace(/(Entry\.\d+).*/, '$1')))
    expect([...columns].sort()).toEqual(newerColumns)
  })

  test('snmptable shows the real servers', () => {
    const [, , head = '', ...rows] = table.trim().split('\n')
    expect(head.split(';').slice(0, 6)).toEqual(['realServerType', 'realServerAddrType', 'realServerAddress', 'realServerPort', 'realServerStatus', 'realServerWeight']) // prettier-ignore
    expect(rows.filter((row) => row.startsWith('regular'))).toHaveLength(5)
    expect(rows.filter((row) => row.startsWith('sorry'))).toHaveLength(1)
  })
})

/** RFC 6527's index has the length of the address before it; keepalived leaves it out. */
function withLength(name: string): string {
  const [, head, rest = ''] = /^(\.1\.3\.6\.1\.2\.1\.207\.1\.1\.2\.1\.2\.\d+\.\d+\.\d)\.(.*)$/.exec(name) ?? []
  const bytes = rest.split('.')
  return head === undefined || (bytes.length !== 4 && bytes.length !== 16) ? name : [head, bytes.length, ...bytes].join('.') // prettier-ignore
}

/** Of keepalived after 2.2.7, whose MIB Debian has. */
const newerColumns = [
  'KEEPALIVED-MIB::global.12.0',
  ...[56, 57, 58, 59, 60, 61, 62, 63].map((n) => `KEEPALIVED-MIB::realServerEntry.${n}`),
  ...[72, 73, 74, 75, 76, 77, 78].map((n) => `KEEPALIVED-MIB::virtualServerEntry.${n}`),
  'KEEPALIVED-MIB::vrrpInstanceEntry.36',
  ...[10, 11, 12].map((n) => `KEEPALIVED-MIB::vrrpScriptEntry.${n}`),
]

/** Why a value differs; undefined: it must not. `added`: keepalived has none. */
function excuse(name: string, added: boolean): string | undefined {
  const known: readonly (readonly [RegExp, string])[] = [
    [/^K\.1\.1\.0$/, 'the name of the program'],
    [/^K\.2\.3\.1\.11\./, 'keepalived says whether anything but the interface is tracked'],
    [/^K\.2\.6\.1\.11\./, 'keepalived says so of the first instance only'],
    [/^K\.2\.7\.1\.25\./, 'keepalived shows it where there is a hoplimit'],
    [/^K\.2\.7\.1\.27\./, 'keepalived shows rtt in other units than the MIB'],
    [/^K\.2\.12\.1\.3\./, 'keepalived shows the weight of the block, not that of the instance'],
    [/^R\.68\.1\.3\.1\.7\./, 'keepalived shows nobody when it is master itself'],
    [/^R\.68\.1\.3\.1\.13\./, 'the time of the start, counted from the start of the master agent'],
    [/^R\.207\.1\.1\.1\.1\.12\./, 'the time since the start'],
    [/^R\.(?:68\.2\.4|207\.1\.2\.5)\.1\.1\./, 'on a busy machine an instance may become master twice'],
  ]
  const more: readonly (readonly [RegExp, string])[] = [
    [
      /^K\.(?:1\.12\.0|2\.3\.1\.36\.|2\.9\.1\.1[012]\.|3\.3\.1\.7[2-8]\.|3\.4\.1\.(?:5[6-9]|6[0-3])\.)/,
      'newer than 2.2.7',
    ],
    [/^R\.68\.(?:1\.3|2\.4)\.1\.\d+\.3\.55$/, 'keepalived’s walk leaves out other interfaces than the first'],
    [/^R\.68\.1\.3\.1\.10\./, 'RFC 2787: it reads as empty'],
  ]
  const short = name.replace(keepalived, 'K').replace(/^\.1\.3\.6\.1\.2\.1/, 'R')
  return [...known, ...(added ? more : [])].find(([pattern]) => pattern.test(short))?.[1]
}
