import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds, type Millis } from '@ipvs-director/core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { root, until, upLab, type Host, type Lab, type LabProcess, type LabSpec } from '../../lab/index.ts'
import { startDirector, type RunningDirector } from '../director.ts'
import { addressesOf, startKeepalived } from '../keepalived.ts'

/** What is right comes in seconds; a busy machine may take longer. */
export const patience = seconds(30)

/** The network of most scenarios: two directors and somebody who asks them. */
export const pair: LabSpec<'node1' | 'node2' | 'client'> = {
  networks: ['lan'],
  hosts: {
    node1: { links: { lan: ['192.168.10.11/24'] } },
    node2: { links: { lan: ['192.168.10.12/24'] } },
    client: { links: { lan: ['192.168.10.10/24'] } },
  },
}

/** A file below `configs/` as a host of the lab is to read it: what lies in /etc/keepalived lies in its own folder. */
export const sample = (host: Host, name: string): string =>
  readFileSync(join(root, 'configs', name), 'utf8').replaceAll('/etc/keepalived', host.folder)

/** A lab for the tests of one file, with the directors that run in it; each test leaves it as it found it. */
export interface Scenario<Name extends string> {
  readonly host: (name: Name) => Host
  /** Starts our director with a file of `configs/`, changed if wished. */
  readonly ours: (name: Name, file: string, wish?: Wish) => Promise<RunningDirector>
  /** Starts Debian's keepalived with one. */
  readonly theirs: (name: Name, file: string, wish?: Wish) => LabProcess
  readonly has: (name: Name, address: string, device?: string) => Promise<boolean>
  /** Waits until the hosts named have the address, and no other director has. */
  readonly held: (address: string, by: readonly Name[], within?: Millis) => Promise<Millis>
  /** Everything that was said, for a test that fails. */
  readonly story: () => string
}

export interface Wish {
  readonly change?: (text: string) => string
  readonly options?: readonly string[]
}

/** Declares the hooks of a test file; `directors` are the hosts that may hold a VIP. */
export function scenario<Name extends string>(
  spec: LabSpec<Name>,
  directors: readonly NoInfer<Name>[],
): Scenario<Name> {
  let lab: Lab<Name> | undefined
  let running: LabProcess[] = []
  beforeAll(async () => {
    lab = await upLab(spec)
  })
  afterAll(() => lab?.down())
  afterEach(async () => {
    await Promise.all(running.map((each) => each.stop('SIGTERM')))
    running = []
  })
  const host = (name: Name): Host => {
    if (lab === undefined) throw new Error('the lab is not up yet')
    return lab.hosts[name]
  }
  const text = (name: Name, file: string, { change = (same) => same }: Wish): string => change(sample(host(name), file))
  const has = async (name: Name, address: string, device = 'eth0'): Promise<boolean> =>
    (await addressesOf(host(name), device)).includes(` ${address}/`)
  const story = (): string =>
    running.map(({ command, stdout, stderr }) => `${command.join(' ')}:\n${stdout}${stderr}`).join('\n\n')
  return {
    host,
    has,
    story,
    async ours(name, file, wish = {}) {
      const director = await startDirector(host(name), text(name, file, wish), ...(wish.options ?? []))
      running.push(director.process)
      return director
    },
    theirs(name, file, wish = {}) {
      const keepalived = startKeepalived(host(name), text(name, file, wish))
      running.push(keepalived)
      return keepalived
    },
    held: (address, by, within = patience) =>
      until(
        `${address} is with ${by.join(' and ') || 'nobody'}`,
        within,
        async () => {
          const holding = await Promise.all(directors.map((name) => has(name, address)))
          return directors.every((name, index) => holding[index] === by.includes(name))
        },
        story,
      ),
  }
}
