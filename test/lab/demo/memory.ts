import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatDuration } from '@ipvs-director/core'
import { finish, LabProcess } from '../process.ts'
import { isOut, isServing, startDemoDirector, type Place } from './director.ts'
import type { Narrator } from './narrator.ts'

const address = '127.0.0.1'

/** The same walk without a kernel that has IPVS: real servers on loopback are really probed, the table is in memory. */
export async function memoryWalk({ step, say, shell, claim }: Narrator): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ipvs-director-demo-'))
  const started: LabProcess[] = []
  const place: Place = {
    spawn(command, options) {
      const process = new LabProcess(command, options)
      started.push(process)
      return process
    },
    output: async (command) => (await finish(new LabProcess(command), { check: true })).stdout,
  }
  const servers = [await webServer(0), await webServer(0), await webServer(0)]
  const ports = servers.map(portOf)
  try {
    step('Three web servers on loopback')
    say(...ports.map((port) => `${address}:${port}`))

    step('The director checks them, and keeps its table in memory')
    const file = join(folder, 'keepalived.conf')
    writeFileSync(file, configuration(ports))
    const running = await startDemoDirector(place, file, folder, '--memory-ipvs')
    for (const port of ports) await running.untilServer(`:${port}`, isServing)
    shell('here', 'ipvs-ctl status', await running.screen())
    claim(true, 'all three servers are up and in the table')

    step('One server dies')
    const victim = ports[1] ?? 0
    await stop(servers[1])
    const out = await running.untilServer(`:${victim}`, isOut)
    shell('here', 'ipvs-ctl status', await running.screen())
    claim(true, `${address}:${victim} is out after ${formatDuration(out)}`)

    step('It comes back')
    servers[1] = await webServer(victim)
    const back = await running.untilServer(`:${victim}`, isServing)
    claim(true, `${address}:${victim} is back after ${formatDuration(back)}`)

    step('The director stops')
    claim((await running.process.stop('SIGTERM')) === 0, 'it ended in order')
  } finally {
    for (const process of started) process.kill()
    for (const server of servers) await stop(server)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function webServer(port: number): Promise<Server> {
  const server = createServer((_, response) => response.end('here\n'))
  server.listen({ port, host: address })
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

function stop(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    server?.close(() => {
      resolve()
    })
    server?.closeAllConnections()
    if (server === undefined) resolve()
  })
}

function configuration(ports: readonly number[]): string {
  const real = ports.map((port) => {
    const check = `HTTP_GET { url { path /\n status_code 200\n } connect_timeout 1\n }`
    return `real_server ${address} ${port} {\n weight 1\n ${check}\n }`
  })
  return `virtual_server 192.0.2.1 80 {
delay_loop 2
lb_algo rr
lb_kind NAT
protocol TCP
retry 1
delay_before_retry 1
${real.join('\n')}
}
`
}
