/** A failing server leaves the kernel's table within the time its settings imply, and comes back as keepalived's would. */
import { millis, seconds, type Millis } from '@ipvs-director/core'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  certificate,
  connectFrom,
  dr,
  serveHttp,
  serverNames,
  serveTcp,
  until,
  upLab,
  weightsOf,
  witnessTable,
  type HttpServer,
  type Lab,
  type StandardHost,
} from '../lab/index.ts'
import { startDirector, type RunningDirector } from './director.ts'

const { vip, servers } = dr()
const [, second] = servers

/** Timing of every check here: one failure is forgiven. */
const timing = { delayLoop: seconds(1), retry: 1, delayBeforeRetry: millis(500), timeout: seconds(1) }

/** From the failure to the removal: the wait for the next probe, the probes that fail, the gap between them. */
const removal: Millis = seconds(
  (timing.delayLoop + (timing.retry + 1) * timing.timeout + timing.retry * timing.delayBeforeRetry) / 1000,
)
/** The lab's machine is slow and has one processor for everybody. */
const slack = seconds(4)

const digest = createHash('md5').update('right\n').digest('hex')

const options = `connect_timeout ${timing.timeout / 1000}
        retry ${timing.retry}
        delay_before_retry ${timing.delayBeforeRetry / 1000}`

const services = [
  { port: 80, check: `TCP_CHECK { connect_port 80\n ${options}\n }` },
  { port: 81, check: `HTTP_GET { url { path /ok\n status_code 200 } connect_port 80\n ${options}\n }` },
  { port: 82, check: `HTTP_GET { url { path /d\n digest ${digest} } connect_port 80\n ${options}\n }` },
  { port: 443, check: `SSL_GET { url { path /s\n status_code 200 } connect_port 443\n ${options}\n }` },
] as const

const config = services
  .map(
    ({ port, check }) => `virtual_server ${vip} ${port} {
    delay_loop ${timing.delayLoop / 1000}
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
${servers.map((server) => `    real_server ${server} ${port} {\n        ${check}\n    }`).join('\n')}
}`,
  )
  .join('\n')

describe('a failing server', () => {
  let lab: Lab<StandardHost>
  let director: RunningDirector
  const web = new Map<string, HttpServer>()
  const tls = new Map<string, HttpServer>()

  beforeAll(async () => {
    lab = await upLab(dr())
    for (const name of serverNames) await open(name)
    director = await startDirector(lab.hosts.director, config)
  })
  afterAll(async () => {
    for (const server of [...web.values(), ...tls.values()]) await server.close()
    await lab.down()
  })

  async function open(name: (typeof serverNames)[number]): Promise<void> {
    web.set(name, await serveHttp(lab.hosts[name], { answer: { body: 'right\n' } }))
    tls.set(name, await serveHttp(lab.hosts[name], { tls: certificate(name), port: 443 }))
  }

  const present = async (port: number): Promise<boolean> =>
    weightsOf(await witnessTable(lab.hosts.director), `${vip}:${port}`)?.[`${second}:${port}`] === 1
  const left = (port: number): Promise<Millis> =>
    until(`${second} left ${vip}:${port}`, seconds((removal + slack) / 1000), async () => !(await present(port)))
  const back = (port: number): Promise<Millis> =>
    until(`${second} is back in ${vip}:${port}`, seconds((3 * timing.delayLoop + slack) / 1000 + 1), () =>
      present(port),
    )

  const reasonOf = async (port: number): Promise<string> => {
    const server = await director.server(`${second}:${port}`, `${vip}:${port}/tcp`)
    return `${server?.state}: ${server?.class}`
  }

  test('that refuses is taken out of every service and comes back', async () => {
    await web.get('rs2')!.close()
    await tls.get('rs2')!.close()
    for (const { port } of services) await left(port)
    expect(await reasonOf(80)).toBe('down: refused')
    const weights = weightsOf(await witnessTable(lab.hosts.director), `${vip}:80`)
    expect(Object.keys(weights ?? {}).sort()).toEqual([`${servers[0]}:80`, `${servers[2]}:80`])
    await open('rs2')
    for (const { port } of services) await back(port)
  })

  test('that hangs fails its HTTP check, not its TCP check', async () => {
    web.get('rs2')!.answer = 'hang'
    await left(81)
    expect(await reasonOf(81)).toBe('down: timeout')
    expect(await present(80)).toBe(true)
    web.get('rs2')!.answer = { body: 'right\n' }
    await back(81)
    await back(82)
  })

  test('that answers 500 is a mismatch', async () => {
    web.get('rs2')!.answer = { status: 500, body: 'right\n' }
    await left(81)
    const server = await director.server(`${second}:81`, `${vip}:81/tcp`)
    expect(server).toMatchObject({ state: 'down', class: 'mismatch' })
    expect(server?.reason).toContain('500')
    web.get('rs2')!.answer = { body: 'right\n' }
    await back(81)
    await back(82)
  })

  test('that answers something else than the digest is a mismatch', async () => {
    web.get('rs2')!.answer = { body: 'wrong\n' }
    await left(82)
    expect(await reasonOf(82)).toBe('down: mismatch')
    expect(await present(81)).toBe(true)
    web.get('rs2')!.answer = { body: 'right\n' }
    await back(82)
  })

  test('that speaks no TLS any more is told so', async () => {
    await tls.get('rs2')!.close()
    const garbage = await serveTcp(lab.hosts.rs2, {
      port: 443,
      connection: (socket) => void socket.end('this is not TLS\n'),
    })
    await left(443)
    expect(await reasonOf(443)).toBe('down: tls')
    garbage.close('reset')
    tls.set('rs2', await serveHttp(lab.hosts.rs2, { tls: certificate('rs2'), port: 443 }))
    await back(443)
  })

  test('whose cable is cut times out', async () => {
    await lab.hosts.rs2.ip('link set eth0 down')
    await left(80)
    expect(await reasonOf(80)).toMatch(/^down: (timeout|unreachable)$/)
    await lab.hosts.rs2.ip('link set eth0 up')
    await back(80)
  })
})

describe('inhibit_on_failure and the sorry server', () => {
  let lab: Lab<StandardHost>
  let director: RunningDirector
  const web = new Map<string, HttpServer>()

  const service = (port: number, more: string, members: readonly string[]): string => `virtual_server ${vip} ${port} {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
    ${more}
${members
  .map(
    (server) => `    real_server ${server} ${port} {
        TCP_CHECK { connect_port 80\n connect_timeout 1\n retry 0 }
    }`,
  )
  .join('\n')}
}
`
  const config =
    service(7, 'inhibit_on_failure', servers) +
    service(80, `sorry_server ${servers[2]} 80\n    quorum 1`, [servers[0], servers[1]])

  beforeAll(async () => {
    lab = await upLab(dr())
    for (const name of serverNames) {
      web.set(name, await serveHttp(lab.hosts[name]))
      await serveTcp(lab.hosts[name], { port: 7 })
    }
    director = await startDirector(lab.hosts.director, config)
  })
  afterAll(async () => {
    for (const server of web.values()) await server.close()
    await lab.down()
  })

  const weights = async (port: number): Promise<Record<string, number> | undefined> =>
    weightsOf(await witnessTable(lab.hosts.director), `${vip}:${port}`)

  test('an inhibited server keeps weight 0 and its connections', async () => {
    const connections = []
    for (let i = 0; i < 3; i++) connections.push(await connectFrom(lab.hosts.client, vip, 7))
    await web.get('rs2')!.close()
    await until('rs2 has weight 0', seconds(8), async () => (await weights(7))?.[`${second}:7`] === 0)
    for (const connection of connections) expect(await connection.exchange('still here')).toBe('still here')
    const more = await connectFrom(lab.hosts.client, vip, 7)
    expect(await more.exchange('x')).toBe('x')
    expect(await director.server(`${second}:7`, `${vip}:7/tcp`)).toMatchObject({ wantedWeight: 0, kernelWeight: 0 })
    web.set('rs2', await serveHttp(lab.hosts.rs2))
    await until('rs2 has its weight again', seconds(8), async () => (await weights(7))?.[`${second}:7`] === 1)
    for (const connection of [...connections, more]) {
      expect(connection.closed).toBeUndefined()
      connection.end()
    }
  })

  test('the sorry server takes over and leaves, with never a moment without a destination', async () => {
    const log = `${lab.hosts.director.folder}/samples`
    const sampler = lab.hosts.director.spawn(['sh', '-c', `while :; do cat /proc/net/ip_vs; echo ==; done > ${log}`])
    await web.get('rs1')!.close()
    await web.get('rs2')!.close()
    await until('only the sorry server is left', seconds(10), async () => {
      const now = await weights(80)
      return Object.keys(now ?? {}).join() === `${servers[2]}:80`
    })
    expect((await lab.hosts.client.output(['curl', '-sS', '-m', '5', `http://${vip}/`])).trim()).toBe('rs3')
    web.set('rs1', await serveHttp(lab.hosts.rs1))
    await until('rs1 serves and the sorry server is gone', seconds(10), async () => {
      const now = await weights(80)
      return Object.keys(now ?? {}).join() === `${servers[0]}:80`
    })
    sampler.kill()
    await sampler.ended
    const samples = (await lab.hosts.director.output(['cat', log])).split('==\n').slice(0, -1)
    const hexPort = '0050'
    const counts = samples.map((sample) => destinationsOf(sample, hexPort))
    expect(counts.length).toBeGreaterThan(2)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })
})

/** How many destinations the service on this port (four hexadecimal digits) has in a text of /proc/net/ip_vs. */
function destinationsOf(text: string, port: string): number {
  let counting = false
  let count = 0
  for (const line of text.split('\n')) {
    if (line.startsWith('TCP')) counting = line.split(/\s+/)[1]?.endsWith(`:${port}`) ?? false
    else if (counting && line.includes('->')) count++
  }
  return count
}
