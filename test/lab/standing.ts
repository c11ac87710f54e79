import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabArguments } from './arguments.ts'
import type { Host } from './host.ts'
import { upLab, type Lab } from './lab.ts'
import { startDemoDirector } from './demo/director.ts'
import { startNginx } from './programs/nginx.ts'
import { root } from './root.ts'
import { toolEnvironment } from './tools.ts'
import { samples, serverNames, topologies } from './topologies.ts'

/** Brings a ready-made lab up, opens a prompt or runs a command, takes it down; resolves with the exit status. */
export async function runStanding(wish: LabArguments): Promise<number> {
  const topology = topologies[wish.topology ?? 'dr']()
  const lab: Lab = await upLab(topology)
  try {
    const chosen = wish.host ?? (wish.shell ? 'director' : undefined)
    const host = chosen === undefined ? undefined : lab.hosts[chosen]
    if (chosen !== undefined && host === undefined) {
      console.error(`no host "${chosen}"; there are ${Object.keys(lab.hosts).join(', ')}`)
      return 2
    }
    const socket = wish.shell ? await populate(lab, wish.topology ?? 'dr') : undefined
    const [program = 'bash', ...rest] = wish.command
    const command = wish.shell && wish.command.length === 0 ? ['bash', '--norc', '-i'] : [program, ...rest]
    if (wish.shell) greet(lab, chosen ?? '', topology.vip)
    return await foreground(host === undefined ? command : host.inside(command), {
      PATH: `${programs(lab, socket)}:${toolEnvironment()['PATH'] ?? ''}`,
      PS1: `${chosen ?? 'lab'}# `,
      VIP: topology.vip,
      VIP6: topology.vip6,
    })
  } finally {
    await lab.down()
  }
}

/** Web servers on the real servers, and a director at work on the sample that fits. Resolves with its control socket. */
async function populate(lab: Lab, topology: keyof typeof topologies): Promise<string> {
  const { config, port } = samples[topology]
  await Promise.all(
    Object.values<Host>(lab.hosts)
      .filter(isServer)
      .map((host) => startNginx(host, { port })),
  )
  const director = lab.hosts['director']
  if (director === undefined) throw new Error(`the lab ${topology} has no director`)
  const { socket } = await startDemoDirector(director, config, join(director.folder, 'state'))
  console.log(`The director is at work on ${config}; ipvs-ctl status shows it.`)
  return socket
}

const isServer = (host: Host): boolean => serverNames.some((name) => name === host.name)

function greet(lab: Lab, host: string, vip: string): void {
  console.log(`You are root on ${host}. The name of a host in front of a command runs it there:`)
  console.log(`  ${Object.keys(lab.hosts).join(', ')}; for example  client curl -s http://${vip}/`)
}

/** Runs a command with this process's terminal. */
function foreground(command: readonly string[], variables: Readonly<Record<string, string>>): Promise<number> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'inherit', env: { ...toolEnvironment(), ...variables } })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      resolve(code ?? 1)
    })
  })
}

/**
 * A folder for PATH with a program for every host, called after it, that runs another there; and ipvs-ctl, which knows the
 * control socket.
 */
function programs(lab: Lab, socket: string | undefined): string {
  const hosts = Object.values<Host>(lab.hosts)
  const folder = join(hosts[0]?.folder ?? '', '../bin')
  mkdirSync(folder, { recursive: true })
  const write = (name: string, line: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec ${line}\n`, { mode: 0o755 })
  }
  for (const host of hosts) write(host.name, `${host.inside([]).join(' ')} "$@"`)
  if (socket !== undefined) {
    write('ipvs-ctl', [process.execPath, join(root, 'build/ipvs-ctl.js'), '"$@"', '--socket', socket].join(' '))
  }
  return folder
}
