/**
 * Debian's keepalived and we, each in a host of its own, with one configuration and the same real servers: after each
 * scripted failure both tables are the same, and what went and came did so in the same order.
 */
import { checkers } from '@ipvs-director/checkers'
import { createEngine } from '@ipvs-director/checkers/probing'
import { checkOf, recordedEvents } from '@ipvs-director/checkers/testing'
import { millis, seconds, systemClock } from '@ipvs-director/core'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  certificate,
  insideNamespace,
  serveHttp,
  serveTcp,
  serveUdp,
  until,
  upLab,
  witnessTable,
  type Host,
  type HttpServer,
  type Lab,
  type TcpServer,
  type UdpServer,
} from '../lab/index.ts'
import { startDirector } from './director.ts'

const server = (n: number): string => `10.78.0.${n}`
const spec = {
  networks: ['lan'],
  hosts: {
    ours: { links: { lan: ['10.78.0.1/24', '10.99.0.1/32', '10.99.0.2/32'] } },
    theirs: { links: { lan: ['10.78.0.2/24', '10.99.0.1/32', '10.99.0.2/32'] } },
    web: { links: { lan: [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 31].map((n) => `${server(n)}/24`) } },
  },
} as const
type Hosts = keyof (typeof spec)['hosts']

const timing = 'connect_timeout 1\n retry 1\n delay_before_retry 1'
const url = 'url {\n path /\n status_code 200\n }'

const configOf = (script: string, file: string): string => `global_defs {
  script_user root
}
bfd_instance web {
  neighbor_ip ${server(23)}
  min_rx 500
  min_tx 500
  multiplier 20
}
track_file state {
  file ${file}
  weight 2
}
virtual_server 10.99.0.1 80 {
  delay_loop 1
  warmup 0
  lb_algo wrr
  lb_kind NAT
  protocol TCP
  ${[
    [11, `TCP_CHECK {\n ${timing}\n }`],
    [12, `HTTP_GET {\n ${url}\n ${timing}\n }`],
    [13, `SMTP_CHECK {\n connect_port 25\n ${timing}\n }`],
    [14, `UDP_CHECK {\n connect_port 53\n ${timing}\n }`],
    [15, `MISC_CHECK {\n misc_path "/bin/sh ${script}"\n misc_dynamic\n misc_timeout 5\n }`],
    [16, `TCP_CHECK {\n ${timing}\n }\n HTTP_GET {\n ${url}\n ${timing}\n fast_recovery\n }\n inhibit_on_failure`],
    [17, 'FILE_CHECK {\n track_file state\n }'],
    [18, `SSL_GET {\n connect_port 443\n ${url}\n ${timing}\n }`],
    [19, `DNS_CHECK {\n connect_port 53\n type A\n name www.test\n ${timing}\n }`],
    [20, `PING_CHECK {\n ${timing}\n }`],
    [23, 'BFD_CHECK {\n name web\n }'],
  ]
    .map(([n, check]) => `real_server ${server(Number(n))} 80 {\n weight ${n}\n ${check}\n }`)
    .join('\n  ')}
}
virtual_server 10.99.0.2 80 {
  delay_loop 1
  warmup 0
  lb_algo rr
  lb_kind NAT
  protocol TCP
  quorum 2
  hysteresis 0
  sorry_server ${server(31)} 80
  real_server ${server(21)} 80 {
    TCP_CHECK {
      ${timing}
    }
  }
  real_server ${server(22)} 80 {
    TCP_CHECK {
      ${timing}
    }
  }
}
`

test('every kind that both know is here', () => {
  const known = checkers.filter(({ block }) => block.extension !== true).map(({ keyword }) => keyword)
  const config = configOf('', '')
  expect(known.filter((keyword) => !config.includes(`${keyword} {`))).toEqual([])
})

let lab: Lab<Hosts>
const told: Record<'ours' | 'theirs', string[]> = { ours: [], theirs: [] }
let script = ''
let http: HttpServer
let both: HttpServer
let tcp: TcpServer
let udp: UdpServer
let https: HttpServer
let greeting = '220 hello'
/** RCODE of the answers of the DNS server; undefined: it does not answer. */
let rcode: number | undefined = 0
const closes: (() => void | Promise<void>)[] = []

const openTcp = async (n: number): Promise<TcpServer> => {
  const opened = await serveTcp(lab.hosts.web, { port: 80, address: server(n), connection: (socket) => socket.end() })
  closes.push(() => {
    opened.close('reset')
  })
  return opened
}

function smtp(socket: Socket): void {
  socket.write(`${greeting}\r\n`)
  socket.on('data', (data) => {
    if (data.toString().startsWith('QUIT')) socket.end('221 bye\r\n')
    else socket.write('250 ok\r\n')
  })
}

/** Answers every question alike, for which its own bytes are enough. */
async function serveDns(host: Host, address: string): Promise<void> {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    if (rcode === undefined) return
    query.writeUInt16BE(0x8180 | rcode, 2)
    socket.send(query, from.port, from.address)
  })
  await insideNamespace(host, async () => {
    socket.bind({ address, port: 53 })
    await once(socket, 'listening')
  })
  closes.push(() => {
    socket.close()
  })
}

/** The other end of both BFD sessions. */
async function speakBfd(host: Host): Promise<void> {
  const events = recordedEvents()
  const engine = createEngine({ clock: systemClock, events })
  const settings = { minTx: millis(500), minRx: millis(500), idleTx: seconds(1), multiplier: 20, passive: false }
  await insideNamespace(host, async () => {
    engine.setChecks(
      [1, 2].map((n) => {
        const wish = { neighbor: server(n), source: server(23), settings, ttl: 255, maxHops: 0, multihop: false }
        return checkOf('BFD_CHECK', undefined, wish)
      }),
    )
    // Its sockets are opened in the next turn.
    await new Promise((resolve) => setTimeout(resolve, 50))
  })
  closes.push(() => engine.stop())
  await until('both sessions are up', seconds(30), () => events.reports.filter(({ up }) => up).length === 2, () => JSON.stringify(events)) // prettier-ignore
}

beforeAll(async () => {
  lab = await upLab(spec)
  const { ours, theirs, web } = lab.hosts
  http = await serveHttp(web, { address: server(12) })
  both = await serveHttp(web, { address: server(16) })
  https = await serveHttp(web, { address: server(18), tls: certificate('web.test') })
  await serveDns(web, server(19))
  tcp = await openTcp(11)
  udp = await serveUdp(web, server(14), 53)
  const mail = await serveTcp(web, { port: 25, address: server(13), connection: smtp })
  closes.push(
    () => http.close(),
    () => both.close(),
    () => https.close(),
    () => {
      mail.close('reset')
    },
  )
  script = web.writeFile('misc.sh', 'exit 0\n')
  const config = configOf(script, web.writeFile('state', '0\n'))
  const file = theirs.writeFile('keepalived.conf', config)
  const pids = ['-p', join(theirs.folder, 'parent.pid'), '-c', join(theirs.folder, 'checker.pid')]
  theirs.spawn(['keepalived', '-n', '-l', '-C', '-f', file, ...pids])
  await startDirector(ours, config)
}, 60_000)

afterAll(async () => {
  for (const close of closes) await close()
  await lab.down()
})

/** `10.99.0.1:80 10.78.0.11:80 11` for every destination, sorted. */
async function tableOf(host: Host): Promise<string[]> {
  const table = await witnessTable(host)
  return table
    .flatMap(({ address, destinations }) => destinations.map((each) => `${address} ${each.address} ${each.weight}`))
    .sort()
}

let expected = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 23].map((n) => `10.99.0.1:80 ${server(n)}:80 ${n}`)
const last: Record<'ours' | 'theirs', string[]> = { ours: [], theirs: [] }

/** Waits until both tables are as expected, and keeps what came (+) and went (-) on the way. */
async function settle(step: string): Promise<void> {
  const wanted = [...expected].sort()
  await until(
    `both tables are right: ${step}`,
    seconds(60),
    async () => {
      for (const name of ['ours', 'theirs'] as const) {
        const now = await tableOf(lab.hosts[name])
        for (const line of last[name]) if (!now.includes(line)) told[name].push(`-${line}`)
        for (const line of now) if (!last[name].includes(line)) told[name].push(`+${line}`)
        last[name] = now
      }
      return [last.ours, last.theirs].every((table) => JSON.stringify(table) === JSON.stringify(wanted))
    },
    () => JSON.stringify(last, undefined, 1),
  )
}

function without(n: number): void {
  expected = expected.filter((line) => !line.includes(`${server(n)}:80 `))
}

function weight(n: number, value: number): void {
  without(n)
  expected.push(`10.99.0.1:80 ${server(n)}:80 ${value}`)
}

test('the same failures, the same tables, in the same order', { timeout: 400_000 }, async () => {
  // Nobody listens at the two of the second service yet: the first failure counts at once.
  expected.push(`10.99.0.2:80 ${server(31)}:80 1`)
  // Neither has the server of a session that is not up yet, keepalived from its start on.
  await speakBfd(lab.hosts.web)
  await settle('at the start')
  for (const name of ['ours', 'theirs'] as const) told[name].length = 0

  tcp.close('reset')
  without(11)
  await settle('a port is closed')

  http.answer = { status: 503 }
  without(12)
  await settle('another status')

  greeting = '554 no'
  without(13)
  await settle('no greeting')

  udp.close()
  without(14)
  await settle('port unreachable')

  lab.hosts.web.writeFile('misc.sh', 'exit 9\n')
  weight(15, 7)
  await settle('a script asks for a weight')
  lab.hosts.web.writeFile('misc.sh', 'exit 1\n')
  without(15)
  await settle('a script fails')

  lab.hosts.web.writeFile('state', '-3\n')
  weight(17, 17 - 6)
  await settle('a file asks for a weight')

  https.answer = { status: 404 }
  without(18)
  await settle('another status through TLS')

  rcode = 2
  without(19)
  await settle('a name server that fails')

  await lab.hosts.web.ip(`addr del ${server(20)}/24 dev eth0`)
  without(20)
  await settle('no echo')

  await lab.hosts.web.ip(`addr del ${server(23)}/24 dev eth0`)
  without(23)
  await settle('a BFD session without its other end')

  both.answer = 'hang'
  weight(16, 0)
  await settle('one of two checks fails: inhibited')
  both.answer = {}
  weight(16, 16)
  await settle('and is well again')

  const first = await openTcp(21)
  await new Promise((resolve) => setTimeout(resolve, millis(2500)))
  await settle('below the quorum the sorry server stays')
  await openTcp(22)
  expected = expected.filter((line) => !line.startsWith('10.99.0.2'))
  expected.push(`10.99.0.2:80 ${server(21)}:80 1`, `10.99.0.2:80 ${server(22)}:80 1`)
  await settle('the quorum is there')
  first.close('reset')
  expected = expected.filter((line) => !line.startsWith('10.99.0.2'))
  expected.push(`10.99.0.2:80 ${server(31)}:80 1`)
  await settle('and lost')

  expectSameOrder()
  tcp = await openTcp(11)
  http.answer = {}
  greeting = '220 hello'
  https.answer = {}
  rcode = 0
  udp = await serveUdp(lab.hosts.web, server(14), 53)
  closes.push(() => {
    udp.close()
  })
  await lab.hosts.web.ip(`addr add ${server(20)}/24 dev eth0`)
  await lab.hosts.web.ip(`addr add ${server(23)}/24 dev eth0`)
  lab.hosts.web.writeFile('misc.sh', 'exit 0\n')
  for (const n of [11, 12, 13, 14, 15, 18, 19, 20, 23]) weight(n, n)
  await settle('all is well again, in whatever order')
  for (const name of ['ours', 'theirs'] as const) told[name].length = 0

  tcp.close('reset')
  http.answer = 'hang'
  without(11)
  without(12)
  await settle('one refuses, the other hangs and so is found out later')

  rcode = undefined
  without(19)
  await settle('a name server that is silent')

  expectSameOrder()
  expect(firstService(told.ours).map((line) => line.split(' ')[1])).toEqual([11, 12, 19].map((n) => `${server(n)}:80`))
})

/** How a sorry server and those it stands for change places in between is not compared. */
const firstService = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('10.99.0.1', 1))

function expectSameOrder(): void {
  expect(firstService(told.ours)).toEqual(firstService(told.theirs))
}
