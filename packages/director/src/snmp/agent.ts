import {
  describeError,
  millis,
  minutes,
  pause,
  seconds,
  type Clock,
  type Logger,
  type Millis,
  type Timer,
} from '@ipvs-director/core'
import { connect, type Socket } from 'node:net'
import { answerTo } from './answer.ts'
import type { Oid } from './oid.ts'
import { closePacket, notifyPacket, openPacket, pingPacket, readRequest, registerPacket, responsePacket, takePackets, type Header } from './packet.ts' // prettier-ignore
import type { MibTree } from './tree.ts'
import type { VarBind } from './value.ts'

export interface AgentOptions {
  /** `/var/agentx/master`, `unix:PATH`, `tcp:HOST:PORT`, `HOST:PORT`. */
  readonly address: string
  /** What is ours in the tree. */
  readonly subtrees: readonly Oid[]
  /** What there is now; may be some seconds old. */
  readonly tree: () => Promise<MibTree>
  readonly id: Oid
  readonly description: string
  readonly clock: Clock
  readonly logger: Logger
}

/** An AgentX session that is opened again whenever it breaks. */
export interface Agent {
  readonly connected: boolean
  /** Wall clock at which the master's sysUpTime was 0; undefined: it never answered. */
  readonly masterSince: number | undefined
  /** Sends a notification, or keeps it a while for the session to come: of many, the latest. */
  notify(binds: readonly VarBind[]): void
  stop(): void
}

/** Notifications kept while there is no session, and for how long. */
const mostKept = 100
const keptFor = minutes(1)

const pauses: readonly Millis[] = [seconds(1), seconds(2), seconds(5), seconds(15), minutes(1)]
/** A master that says nothing for so long is asked (milliseconds). */
const pingEvery = seconds(15)
/** Seconds the master waits for an answer of ours. */
const answerWithin = 5

export function createAgent({ address, subtrees, tree, id, description, clock, logger }: AgentOptions): Agent {
  let socket: Socket | undefined
  let timer: Timer | undefined
  let session: number | undefined
  let tries = 0
  let packet = 0
  let stopped = false
  let toldTrouble = false
  let masterSince: number | undefined
  let kept: { readonly at: Millis; readonly binds: readonly VarBind[] }[] = []
  /** Answers go out in the order of the questions, though the tree may have to be waited for. */
  let answering: Promise<void> = Promise.resolve()
  let waitingFor = new Map<number, (error: number, header: Header) => void>()

  const ids = () => ({ session: session ?? 0, transaction: 0, packet: ++packet })

  const begin = (): void => {
    timer = undefined
    const opened = openConnection(address)
    socket = opened
    let rest: Buffer = Buffer.alloc(0)
    opened.on('connect', () => {
      const mine = ids()
      waitingFor.set(mine.packet, (error, header) => {
        if (error === 0) established(opened, header.session)
        else opened.destroy(new Error(`the master refused the session: error ${error}`))
      })
      opened.write(openPacket(mine, answerWithin, id, description))
    })
    opened.on('data', (chunk: Buffer) => {
      try {
        const packets = takePackets(Buffer.concat([rest, chunk]))
        for (;;) {
          const { done, value } = packets.next()
          if (done === true) {
            rest = Buffer.from(value)
            return
          }
          handle(opened, value.header, value.payload)
        }
      } catch (error) {
        opened.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    })
    let why = 'it closed the connection'
    opened.on('error', (error) => (why = describeError(error)))
    opened.on('close', () => {
      broken(why)
    })
    opened.unref()
  }

  const established = (to: Socket, given: number): void => {
    session = given
    for (const subtree of subtrees) {
      const mine = ids()
      waitingFor.set(mine.packet, (error) => {
        if (error !== 0) logger.error('snmp.refused', `the SNMP master refused ${subtree.join('.')}: error ${error}`)
      })
      to.write(registerPacket(mine, subtree))
    }
    const waiting = kept.filter(({ at }) => clock.now() - at <= keptFor)
    kept = []
    for (const { binds } of waiting) send(to, binds)
    logger.info('snmp.connected', `SNMP: connected to the master agent at ${address}`)
    tries = 0
    toldTrouble = false
    schedulePing(to)
  }

  const send = (to: Socket, binds: readonly VarBind[]): void => {
    const mine = ids()
    waitingFor.set(mine.packet, () => undefined)
    to.write(notifyPacket(mine, binds))
  }

  /** A master that does not answer one ping until the next is gone. */
  const schedulePing = (to: Socket, last?: number): void => {
    timer = clock.after(pingEvery, () => {
      // Notifications may be under way: only a ping tells.
      if (last !== undefined && waitingFor.has(last)) {
        to.destroy(new Error('it does not answer'))
        return
      }
      const mine = ids()
      waitingFor.set(mine.packet, () => undefined)
      to.write(pingPacket(mine))
      schedulePing(to, mine.packet)
    })
  }

  const handle = (to: Socket, header: Header, payload: Buffer): void => {
    const request = readRequest(header, payload)
    if (request.kind === 'response') {
      masterSince = clock.wall() - request.upTime * 10
      const wanted = waitingFor.get(header.packet)
      waitingFor.delete(header.packet)
      wanted?.(request.error, header)
      return
    }
    if (request.kind === 'close') {
      to.destroy(new Error('the master closed the session'))
      return
    }
    answering = answering.then(async () => {
      await pause()
      let reply: Buffer | undefined
      try {
        const answer = answerTo(request, await tree())
        if (answer !== undefined) reply = responsePacket(header, answer.error, answer.index, answer.binds)
      } catch (error) {
        logger.error('snmp.failed', `an SNMP request could not be answered: ${describeError(error)}`)
        reply = responsePacket(header, genErr, 0, [])
      }
      if (reply !== undefined && !to.destroyed) to.write(reply)
    })
  }

  const broken = (why: string): void => {
    timer?.cancel()
    timer = undefined
    session = undefined
    socket = undefined
    waitingFor = new Map()
    if (stopped) return
    if (!toldTrouble) logger.warn('snmp.trouble', `SNMP: no session with the master agent at ${address}: ${why}`)
    toldTrouble = true
    const pause = pauses[Math.min(tries++, pauses.length - 1)] ?? millis(60_000)
    timer = clock.after(pause, begin)
  }

  begin()
  return {
    get connected() {
      return session !== undefined
    },
    get masterSince() {
      return masterSince
    },
    notify(binds) {
      if (session !== undefined && socket !== undefined) send(socket, binds)
      else kept = [...kept.slice(1 - mostKept), { at: clock.now(), binds }]
    },
    stop() {
      stopped = true
      timer?.cancel()
      if (session !== undefined) socket?.end(closePacket(ids()))
      else socket?.destroy()
    },
  }
}

const genErr = 5

/** The spellings of net-snmp's `agentXSocket`. */
function openConnection(address: string): Socket {
  const tcp = /^(?:tcp:)?([^/]+):(\d+)$/.exec(address)
  if (tcp !== null) return connect({ host: tcp[1] ?? '', port: Number(tcp[2]) })
  return connect({ path: address.replace(/^unix:/, '') })
}
