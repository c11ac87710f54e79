import { join } from 'node:path'
import type { Host, LabProcess } from '../lab/index.ts'

let started = 0

/** Debian's keepalived in a host, VRRP only. Its files have names of their own: what was killed before left some. */
export function startKeepalived(host: Host, config: string): LabProcess {
  started++
  const file = host.writeFile('keepalived.conf', config)
  const pids = ['p', 'r', 'c'].flatMap((flag) => [`-${flag}`, join(host.folder, `${started}${flag}.pid`)])
  return host.spawn(['keepalived', '-n', '-l', '-D', '-P', '-f', file, ...pids])
}

/** The addresses of one device, a line each, as `ip -o addr` shows them. */
export const addressesOf = async (host: Host, device = 'eth0'): Promise<string> =>
  host.output(['ip', '-o', 'addr', 'show', 'dev', device])
