import type { Host } from '../host.ts'

/** A running tcpdump. */
export interface Capture {
  /** The packets so far, a line each, as tcpdump prints them. */
  lines(): string[]
  /** Ends it; resolves with all lines. */
  stop(): Promise<string[]>
}

/**
 * Starts tcpdump in a host and waits until it listens. `filter` is a pcap expression: `tcp port 80`. The lines carry
 * neither names nor dates: `IP 10.1.0.10.40000 > 10.1.0.100.80: Flags [S], …`, unless `more` has other options (`-tt`).
 */
export async function capture(
  host: Host,
  filter: string,
  device = 'eth0',
  more: readonly string[] = ['-t'],
): Promise<Capture> {
  const command = ['tcpdump', '-n', ...more, '-l', '--immediate-mode', '-Z', 'root', '-i', device, ...filter.split(' ')]
  const tcpdump = host.spawn(command)
  await tcpdump.says(/listening on/)
  const lines = (): string[] => tcpdump.stdout.split('\n').filter((line) => line !== '')
  return {
    lines,
    async stop() {
      await tcpdump.stop('SIGINT')
      return lines()
    },
  }
}
