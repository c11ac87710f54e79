import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabArguments } from './arguments.ts'
import type { Host } from './host.ts'
import { upLab, type Lab } from './lab.ts'
import { startNginx } from './programs/nginx.ts'
import { toolEnvironment } from './tools.ts'
import { serverNames, topologies } from './topologies.ts'

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
    if (wish.shell) await populate(lab)
    const [program = 'bash', ...rest] = wish.command
    const command = wish.shell && wish.command.length === 0 ? ['bash', '--norc', '-i'] : [program, ...rest]
    if (wish.shell) greet(lab, chosen ?? '')
    return await foreground(host === undefined ? command : host.inside(command), lab, chosen)
  } finally {
    await lab.down()
  }
}

async function populate(lab: Lab): Promise<void> {
  for (const name of serverNames) {
    const host = lab.hosts[name]
    if (host !== undefined) await startNginx(host)
  }
}

function greet(lab: Lab, host: string): void {
  console.log(`You are root on ${host}. The name of a host in front of a command runs it there:`)
  console.log(`  ${Object.keys(lab.hosts).join(', ')}: for example  client curl -s http://10.1.0.100/`)
}

/** Runs a command with this process's terminal. On its PATH every host's name is a program that runs others there. */
function foreground(command: readonly string[], lab: Lab, host: string | undefined): Promise<number> {
  const [program = '', ...args] = command
  const env = toolEnvironment()
  env['PATH'] = `${hostPrograms(lab)}:${env['PATH'] ?? ''}`
  env['PS1'] = `${host ?? 'lab'}# `
  const child = spawn(program, args, { stdio: 'inherit', env })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      resolve(code ?? 1)
    })
  })
}

function hostPrograms(lab: Lab): string {
  const hosts = Object.values<Host>(lab.hosts)
  const folder = join(hosts[0]?.folder ?? '', '../bin')
  mkdirSync(folder, { recursive: true })
  for (const host of hosts) {
    const line = host.inside(['"$@"']).join(' ')
    writeFileSync(join(folder, host.name), `#!/bin/sh\nexec ${line}\n`, { mode: 0o755 })
  }
  return folder
}
