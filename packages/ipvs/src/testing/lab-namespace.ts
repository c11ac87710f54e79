import { execFileSync } from 'node:child_process'
import { withinNamespace } from '@ipvs-director/linux'
import type { IpvsClient } from '../client.ts'
import { openIpvs, type OpenIpvsOptions } from '../kernel.ts'

/** A network namespace of its own, so that a test never touches the table of the machine it runs on. */
export interface LabNamespace {
  readonly name: string
  /** A dummy interface that is up and has addresses of both families. */
  readonly device: string
  open(options?: OpenIpvsOptions): Promise<IpvsClient>
  /** Runs a program in the namespace; what it prints. Throws with its standard error. */
  run(program: string, args: readonly string[], input?: string): string
  remove(): void
}

/** Needs root, ip(8) and a kernel with IPVS; throws otherwise. */
export function labNamespace(): LabNamespace {
  const name = `ipvs-netlink-${process.pid}`
  const device = 'sync0'
  const run = (program: string, args: readonly string[], input = ''): string =>
    execFileSync('ip', ['netns', 'exec', name, program, ...args], { encoding: 'utf8', input, maxBuffer: 2 ** 26 })
  execFileSync('ip', ['netns', 'add', name])
  run('ip', ['link', 'set', 'lo', 'up'])
  run('ip', ['link', 'add', device, 'type', 'dummy'])
  run('ip', ['link', 'set', device, 'up'])
  run('ip', ['address', 'add', '198.18.0.1/24', 'dev', device])
  run('ip', ['address', 'add', '2001:db8:ffff::1/64', 'dev', device, 'nodad'])
  return {
    name,
    device,
    run,
    open: (options) => withinNamespace(name, () => openIpvs(options)),
    remove: () => {
      execFileSync('ip', ['netns', 'delete', name])
    },
  }
}
