import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seconds } from '@ipvs-director/core'
import { serveHttp, serveTcp, until, upLab, weightsOf, witnessTable, type HttpServer, type Lab, type LabSpec, type TcpServer } from '../lab/index.ts' // prettier-ignore
import { startDirector, type RunningDirector } from '../integration/director.ts'
import { addressesOf } from '../integration/vrrp.ts'
import { type Cause, type Done } from './ledger.ts'
import { watchDirector, type Watched } from './watching.ts'

export const vip = '10.6.0.100'
/** `rs1` is never touched; it alone is behind the port 8. */
const realServers = { rs1: '10.6.0.11', rs2: '10.6.0.12', rs3: '10.6.0.13', rs4: '10.6.0.14' } as const
export type ServerName = keyof typeof realServers
export type DirectorName = 'one' | 'two'
type Name = DirectorName | ServerName | 'client'

/** The server's name under the service, as the directors tell it. */
export const endpointOf = (name: ServerName): string => `${realServers[name]}:7`

const hidden = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 }
/**
 * As the doctor advises. A connection that the other director has made goes on here, also where it was not heard of in time;
 * and a client that comes by a port it has used before is not held to a real server that has gone meanwhile.
 */
const directing = { 'net.ipv4.vs.sloppy_tcp': 1, 'net.ipv4.vs.expire_nodest_conn': 1 }
const realServer = (name: ServerName) => ({
  links: { lan: [`${realServers[name]}/24`] },
  sysctls: hidden,
  ip: [`address add ${vip}/32 dev lo`],
})
const spec: LabSpec<Name> = {
  networks: ['lan'],
  hosts: {
    client: { links: { lan: ['10.6.0.10/24'] } },
    one: { links: { lan: ['10.6.0.1/24'] }, sysctls: directing },
    two: { links: { lan: ['10.6.0.2/24'] }, sysctls: directing },
    ...{ rs1: realServer('rs1'), rs2: realServer('rs2'), rs3: realServer('rs3'), rs4: realServer('rs4') },
  },
}

export type Health = 'up' | 'dead' | 'hangs' | 'fails'
export type Steered = 'disabled' | 'drained' | number

export interface Server {
  readonly name: ServerName
  health: Health
  web: HttpServer
  echo: TcpServer
}

export interface Side {
  readonly name: DirectorName
  director: RunningDirector
  /** Weights of its file; a server that is not there is not in it. */
  readonly file: Map<ServerName, number>
  readonly steered: Map<ServerName, Steered>
  readonly watched: Watched
  /** Everything that its runs have said before the present one. */
  said: string
}

export interface World {
  readonly lab: Lab<Name>
  readonly sides: Readonly<Record<DirectorName, Side>>
  readonly servers: ReadonlyMap<ServerName, Server>
  readonly done: Done[]
  /** Does something and remembers when, for the events that follow from it. */
  cause<T>(
    cause: Cause | readonly Cause[],
    about: Partial<Pick<Done, 'director' | 'server'>>,
    work: () => Promise<T>,
  ): Promise<T>
  write(side: Side): void
  start(side: Side): Promise<void>
  setHealth(server: Server, health: Health): Promise<void>
  /** Resolves when both tables are as everything done so far wants them, and one director alone has the VIP. */
  settled(what: string): Promise<void>
  /** Processes that are left in the directors' hosts. */
  leftOver(): Promise<string[]>
}

function configOf({ name, file }: Side): string {
  const checked = (server: ServerName, weight: number): string => `    real_server ${realServers[server]} 7 {
        weight ${weight}
        HTTP_GET {
            url {
                path /
                status_code 200
            }
            connect_port 80
            connect_timeout 4
            retry 1
            delay_before_retry 1
        }
    }`
  const service = (port: number, servers: readonly string[]): string => `virtual_server ${vip} ${port} {
    delay_loop 1
    warmup 0
    lb_algo wrr
    lb_kind DR
    protocol TCP
    drain_on_removal 2
${servers.join('\n')}
}`
  return `global_defs {
    vrrp_version 3
    reconcile_interval 5
    lvs_sync_daemon eth0 VI_1 id 9
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 61
    priority ${name === 'one' ? 150 : 100}
    advert_int 1
    virtual_ipaddress {
        ${vip}/24
    }
}
${service(
  7,
  [...file].map(([server, weight]) => checked(server, weight)),
)}
${service(8, [checked('rs1', 1).replace(`${realServers.rs1} 7`, `${realServers.rs1} 8`)])}
`
}

/** The lab with everything up, and both directors at work. */
export async function makeWorld(): Promise<World> {
  const lab = await upLab(spec)
  const began = performance.now()
  const servers = new Map<ServerName, Server>()
  for (const name of Object.keys(realServers) as ServerName[]) {
    servers.set(name, { name, health: 'up', web: await serveHttp(lab.hosts[name]), echo: await serveTcp(lab.hosts[name], { port: 7 }) }) // prettier-ignore
  }
  const untouched = await serveTcp(lab.hosts.rs1, { port: 8 })
  const done: Done[] = []
  const sides = {} as Record<DirectorName, Side>

  const cause: World['cause'] = async (causes, about, work) => {
    const from = Date.now()
    // Before it is over its consequences may be told.
    const open = [causes].flat().map((each) => ({ cause: each, from, to: Infinity, ...about }))
    done.push(...open)
    try {
      return await work()
    } finally {
      const to = Date.now()
      for (const each of open) done[done.indexOf(each)] = { ...each, to }
    }
  }

  async function start(side: Side): Promise<void> {
    side.said += side.director.process.stdout + side.director.process.stderr
    side.director = await startDirector(lab.hosts[side.name], configOf(side))
  }

  function wanted({ file, steered }: Side): Record<string, number> {
    const weights: Record<string, number> = {}
    for (const [name, weight] of file) {
      const steer = steered.get(name)
      if (servers.get(name)?.health !== 'up' || steer === 'drained') continue
      weights[endpointOf(name)] = steer === 'disabled' ? 0 : (steer ?? weight)
    }
    return weights
  }

  async function tableOf(name: DirectorName): Promise<Record<string, number> | undefined> {
    return weightsOf(await witnessTable(lab.hosts[name]), `${vip}:7`)
  }

  for (const name of ['one', 'two'] as const) {
    const file = new Map(Object.keys(realServers).map((server) => [server as ServerName, 1]))
    const host = lab.hosts[name]
    const watched = watchDirector(name, join(host.folder, 'state/control.sock'), began)
    const side: Omit<Side, 'director'> = { name, file, steered: new Map(), watched, said: '' }
    await cause('start', { director: name }, async () => {
      sides[name] = { ...side, director: await startDirector(host, configOf(side as Side)) }
    })
  }
  lab.onDown(async () => {
    untouched.close('reset')
    for (const { web, echo } of servers.values()) {
      await web.close()
      echo.close('reset')
    }
  })

  return {
    lab,
    sides,
    servers,
    done,
    cause,
    start,
    write: (side) => {
      side.director.write(configOf(side))
    },
    async setHealth(server, health) {
      if (server.health === 'dead') {
        server.web = await serveHttp(lab.hosts[server.name])
        server.echo = await serveTcp(lab.hosts[server.name], { port: 7 })
      }
      server.health = health
      if (health === 'dead') {
        await server.web.close()
        server.echo.close('reset')
      } else server.web.answer = health === 'hangs' ? 'hang' : { status: health === 'fails' ? 503 : 200 }
    },
    async settled(what) {
      let last = ''
      const asWanted = async (): Promise<boolean> => {
        const found = { one: await tableOf('one'), two: await tableOf('two') }
        const wish = { one: wanted(sides.one), two: wanted(sides.two) }
        const holders = await Promise.all((['one', 'two'] as const).map(async (name) => (await addressesOf(lab.hosts[name])).includes(` ${vip}/`))) // prettier-ignore
        last = `${JSON.stringify({ found, wish, holders })}\n${sides.one.director.process.stderr.slice(-1500)}\n${sides.two.director.process.stderr.slice(-1500)}`
        const alone = holders.filter((holds) => holds).length === 1
        const right = same(found.one, wish.one) && same(found.two, wish.two) && alone
        // Each look starts processes, and a guest has one processor for everybody.
        if (!right) await sleep(500)
        return right
      }
      await until(`tables and VIP are right ${what}`, seconds(60), asWanted, () => last)
    },
    async leftOver() {
      const found: string[] = []
      for (const name of ['one', 'two'] as const) {
        const pids = (await lab.hosts[name].output(['ip', 'netns', 'pids', lab.hosts[name].namespace])).split('\n')
        // The one that asks is there, too.
        for (const pid of pids.filter(Boolean)) {
          const command = (await lab.hosts[name].run(['ps', '-o', 'args=', '-p', pid])).stdout.trim()
          if (command.includes('build/')) found.push(`${name}: ${command}`)
        }
      }
      return found
    },
  }
}

const same = (a: Record<string, number> | undefined, b: Record<string, number>): boolean =>
  a !== undefined && JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
