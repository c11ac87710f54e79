import { readFileSync } from 'node:fs'
import { addonAvailable } from '@ipvs-director/linux'
import { createBfdSpeaker } from '../bfd/speaker.ts'
import { connectHandedOver, connectKernel } from './kernel.ts'
import { createDoors } from './doors.ts'
import { connectLean, isLean } from './lean-tls.ts'
import { createPinger } from './pinger.ts'
import { needsKernelSocket } from './prepare.ts'
import { datagramsKernel, datagramsNode } from './udp.ts'
import { systemClock, type Clock } from '@ipvs-director/core'
import type { CheckConnection } from '@ipvs-director/config'
import type { Attempt } from '../attempt.ts'
import type { Connection, ProbeIo, TlsWish } from './port.ts'
import { connectTcp } from './tcp.ts'
import { connectSecure, createContexts, type ReadMaterial } from './tls.ts'
import { watchFile } from './watch-file.ts'
import { runProbeScript, scriptIdentities, type ScriptIdentity } from './script.ts'

export interface NodeIoOptions {
  readonly clock?: Clock
  /** Reads the PEM files of the SSL block. Default: from disk, which a prober without privileges may not be able to. */
  readonly readMaterial?: ReadMaterial
  /** Use the addon's sockets for all TCP (default where the addon loads), or only where node:net cannot do it. */
  readonly kernelSockets?: boolean
  /** Who runs scripts that name no user. Default: keepalived's order without a script_user. */
  readonly scriptIdentity?: ScriptIdentity
}

/** The world as it is. */
export function createNodeIo(options: NodeIoOptions = {}): ProbeIo {
  const { clock = systemClock } = options
  const contexts = createContexts(options.readMaterial ?? ((path) => readFileSync(path)))
  const identify = options.scriptIdentity ?? scriptIdentities()
  const kernelSockets = options.kernelSockets ?? addonAvailable()
  async function connectTls(at: CheckConnection, attempt: Attempt, wish: TlsWish): Promise<Connection> {
    if (!needsKernelSocket(at)) return connectSecure(at, attempt, wish, contexts)
    return connectSecure(at, attempt, wish, contexts, await connectHandedOver(at, attempt))
  }
  const connectPlain = (at: CheckConnection, attempt: Attempt, reads?: boolean): Promise<Connection> =>
    kernelSockets || needsKernelSocket(at) ? connectKernel(at, attempt, reads) : connectTcp(at, attempt)
  return {
    connect(at, attempt, tls, reads) {
      if (tls === undefined) return connectPlain(at, attempt, reads)
      return kernelSockets && isLean(tls) ? connectLean(at, attempt, tls) : connectTls(at, attempt, tls)
    },
    exchanges: kernelSockets,
    doors: (told) =>
      createDoors(told, { clock, kernelSockets, connect: (at, attempt) => connectPlain(at, attempt, false) }),
    datagrams: (at, attempt) =>
      kernelSockets || needsKernelSocket(at) ? datagramsKernel(at, attempt) : datagramsNode(at, attempt),
    ping: createPinger(),
    run: (script, timeout, attempt) => runProbeScript(script, timeout, attempt, identify),
    bfd: createBfdSpeaker(clock, Math.random),
    watchFile: (path, told) => watchFile(clock, path, told),
    forgetMaterial: () => {
      contexts.forget()
    },
  }
}
