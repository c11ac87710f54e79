import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { millis, seconds, type Millis } from '@ipvs-director/core'
import { openIpvs, type Command, type IpvsClient } from 'ipvs-netlink'
import { insideNamespace, root, type Host, type LabProcess } from '../test/lab/index.ts'
import { timed } from './measure.ts'
import type { OwnFigures } from './own.ts'
import { lastDestination, rulesOf, type Shape } from './shapes.ts'

const long = seconds(180)

/** `ipvsadm -R` on an empty table, from its start to its end. */
export const ipvsadmRestore = (host: Host, shape: Shape): Promise<Millis> =>
  timed(() => host.output(['ipvsadm', '-R'], { input: rulesOf(shape), timeout: long }))

/** `ipvsadm -Ln`. */
export const ipvsadmList = (host: Host): Promise<Millis> =>
  timed(() => host.output(['ipvsadm', '-Ln'], { timeout: long }))

/** Our client, in a process of its own. */
export async function ownClient(host: Host, shape: Shape): Promise<OwnFigures> {
  const words = ['--own', String(shape.services), String(shape.destinations)]
  const told = await host.output([process.execPath, join(root, 'build/bench.js'), ...words], { timeout: long })
  return JSON.parse(told) as OwnFigures
}

/** keepalived's checker from its start to a full table. */
export function keepalivedStart(host: Host, shape: Shape, file: string): Promise<Millis> {
  const pids = ['-p', join(host.folder, 'parent.pid'), '-c', join(host.folder, 'checker.pid')]
  return startToFull(host, shape, ['keepalived', '-n', '-l', '-C', '-f', file, ...pids])
}

/** Our director from its start, Node's included, to a full table. */
export function directorStart(host: Host, shape: Shape, file: string): Promise<Millis> {
  const words = ['-n', '-l', '-f', file, '--state-dir', join(host.folder, 'state')]
  return startToFull(host, shape, [process.execPath, join(root, 'build/ipvs-director.js'), ...words])
}

async function startToFull(host: Host, shape: Shape, command: readonly string[]): Promise<Millis> {
  const client = await insideNamespace(host, () => openIpvs())
  const began = performance.now()
  const program = host.spawn(command)
  try {
    await untilFull(client, shape, program)
    return millis(performance.now() - began)
  } finally {
    program.kill()
    await program.ended
    client.close()
  }
}

/**
 * Everybody fills the table in the order of the file, so it is full when the last destination is there. Editing it to what
 * it is anyway asks for that in one short exchange, refused until then; looking at the table would cost more than filling it.
 */
async function untilFull(client: IpvsClient, shape: Shape, program: LabProcess): Promise<void> {
  const { service, destination } = lastDestination(shape)
  const edit: Command = { do: 'setDestination', service, destination }
  const limit = performance.now() + long
  for (;;) {
    const [refused] = await client.execute([edit])
    if (refused === undefined) return
    if (program.code !== undefined) throw new Error(`${program.command.join(' ')} ended with ${program.code}`)
    if (performance.now() > limit) throw new Error(`${program.command.join(' ')} never filled the table`)
    await sleep(10)
  }
}
