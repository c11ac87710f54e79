import { join } from 'node:path'
import type { Host } from '../lab/index.ts'

/** Where a program in a mount namespace of its own finds who takes its log. */
export interface LogTakers {
  /** Instead of /dev/log. */
  readonly syslog: string
  /** Instead of journald's socket. */
  readonly journal?: string
}

/** Lines for a shell that has a mount namespace of its own: sockets of the test's stand where syslog's and journald's would. */
export function ownLog(host: Host, { syslog, journal }: LogTakers): string {
  const [dev, systemd] = ['dev', 'systemd'].map((name) => join(host.folder, name)) as [string, string]
  const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `touch ${dev}/${name}; mount --bind /dev/${name} ${dev}/${name}`) // prettier-ignore
  return [
    `mkdir -p ${dev}`,
    `mount -t tmpfs none ${dev}`,
    ...devices,
    `ln -s /proc/self/fd ${dev}/fd; ln -s ${syslog} ${dev}/log`,
    `mount --rbind ${dev} /dev`,
    ...(journal === undefined
      ? []
      : [
          `mkdir -p ${systemd}/journal /run/systemd; ln -s ${journal} ${systemd}/journal/socket`,
          `mount --bind ${systemd} /run/systemd`,
        ]),
  ].join('; ')
}
