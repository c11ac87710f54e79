import { formatDuration } from '@ipvs-director/core'
import { join } from 'node:path'
import type { Host } from '../host.ts'
import { witnessTable } from '../ipvsadm.ts'
import { upLab } from '../lab.ts'
import { startNginx } from '../programs/nginx.ts'
import { dr, serverNames } from '../topologies.ts'
import { isOut, isServing, startDemoDirector } from './director.ts'
import type { Narrator } from './narrator.ts'

const config = 'configs/dr/keepalived.conf'
const { vip, vip6, servers } = dr()
const [, secondAddress] = servers

/** A client, a director and three web servers on a real kernel: one server dies and comes back. */
export async function walk({ step, say, shell, claim }: Narrator): Promise<void> {
  step('A small network')
  const lab = await upLab(dr())
  try {
    const { client, director, rs2 } = lab.hosts
    say('client 10.1.0.10 ──┐')
    say(`director 10.1.0.1 ─┤  one LAN; the director holds the VIP ${vip}`)
    say('rs1, rs2, rs3 ─────┘  nginx on 10.1.0.11 to 10.1.0.13, each with the VIP on lo (LVS-DR)')
    const nginx = await Promise.all(serverNames.map((name) => startNginx(lab.hosts[name])))

    step(`The director runs ${config}`)
    const running = await startDemoDirector(director, config, join(director.folder, 'state'))
    shell('director', `ipvs-director -n -f ${config}`, lastLines(running.process.stderr))
    for (const address of servers) await running.untilServer(address, isServing)
    shell('director', 'ipvsadm -Ln', await director.output(['ipvsadm', '-Ln']))
    claim((await destinations(director)).length === 3, 'the kernel has the three real servers')

    step('The client asks the VIP six times')
    const all = await ask(client, shell)
    claim(equal(all, serverNames), 'all three servers answer')
    const all6 = await ask(client, shell, `http://[${vip6}]/`)
    claim(equal(all6, serverNames), 'over IPv6 too')

    step('One real server dies')
    shell('rs2', 'nginx -s stop', '')
    await nginx[1]?.stop('SIGTERM')
    const out = await running.untilServer(secondAddress, isOut)
    claim(
      !(await destinations(director)).some((each) => each.startsWith(secondAddress)),
      `rs2 is out after ${formatDuration(out)}`,
    )
    shell('director', 'ipvs-ctl status', await running.screen())
    const two = await ask(client, shell)
    claim(equal(two, ['rs1', 'rs3']), 'rs1 and rs3 answer, and no request was lost')

    step('It comes back')
    shell('rs2', 'nginx', '')
    await startNginx(rs2)
    const back = await running.untilServer(secondAddress, isServing)
    say(`rs2 is back after ${formatDuration(back)}`)
    const again = await ask(client, shell)
    claim(equal(again, serverNames), 'all three servers answer again')

    step('The director stops')
    shell('director', 'kill -TERM …', '')
    const code = await running.process.stop('SIGTERM')
    claim(
      code === 0 && (await witnessTable(director)).length === 0,
      'it has removed what it made from the kernel’s table',
    )
  } finally {
    await lab.down()
  }
}

/** Six requests, each with a connection of its own. Resolves with who answered, without repetition, in order. */
async function ask(client: Host, shell: Narrator['shell'], url = `http://${vip}/`): Promise<string[]> {
  const answers: string[] = []
  for (let i = 0; i < 6; i++) answers.push((await client.output(['curl', '-sSg', '-m', '5', url])).trim())
  shell('client', `for i in 1 2 3 4 5 6; do curl ${url.includes('[') ? '-g ' : ''}${url}; done`, answers.join(' '))
  return [...new Set(answers)].sort()
}

async function destinations(director: Host): Promise<string[]> {
  const service = (await witnessTable(director)).find(({ address }) => address === `${vip}:80`)
  return service?.destinations.map(({ address }) => address) ?? []
}

const equal = (some: readonly string[], others: readonly string[]): boolean => some.join() === others.join()

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-4).join('\n')
