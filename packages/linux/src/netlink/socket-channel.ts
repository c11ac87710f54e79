import { DecodeError } from '@ipvs-director/core'
import type { NetlinkChannel, Refusal } from './channel.ts'
import { readMessages, type SequencedMessage } from './message.ts'
import {
  dumping,
  execution,
  question,
  sendBytes,
  type Operation,
  type Requests,
  type Sender,
  type Settle,
} from './operation.ts'
import { socketTransport, type OpenTransport } from './transport.ts'
import { Writer } from './writer.ts'

/** Protocols of AF_NETLINK (linux/netlink.h). */
export const NETLINK_ROUTE = 0
export const NETLINK_GENERIC = 16

const nothing = new Uint8Array()

/**
 * What one refusal costs of the receive buffer, in bytes of the kernel's accounting (skb->truesize), extended
 * acknowledgement included: 832 was measured on 6.18, and a long reason takes the next larger piece of memory.
 */
const refusalBytes = 2048

export interface NetlinkOptions {
  /** Receive buffer to ask for, in bytes; default 1 MiB (the kernel grants twice that where privileged). */
  readonly receiveBytes?: number
}

/** Opens a channel to the kernel in the network namespace of this thread; throws a system error. */
export function openNetlink(protocol: number, options: NetlinkOptions = {}): NetlinkChannel {
  return netlinkChannel(socketTransport(protocol, options.receiveBytes ?? 1 << 20))
}

/** A channel over any carrier of datagrams. */
export function netlinkChannel(open: OpenTransport): NetlinkChannel {
  const queue: Operation[] = []
  const writer = new Writer(sendBytes)
  let nextSequence = 1
  let closed = false
  let timer: NodeJS.Immediate | undefined

  const transport = open({
    datagram(bytes) {
      try {
        for (const message of readMessages(bytes)) take(message)
      } catch (error) {
        // The kernel's answers no longer make sense, so nothing that follows can be believed either.
        fail(error instanceof Error ? error : new DecodeError(String(error)))
      }
    },
    error(error) {
      if (queue[0]?.lost(error) === 'done') proceed()
    },
  })

  const sender: Sender = {
    writer,
    mostAnswers: Math.max(1, Math.floor(transport.receiveBytes / refusalBytes)),
    sequences(count) {
      const first = nextSequence
      nextSequence = (nextSequence + count) >>> 0
      return first
    },
    send() {
      transport.send(writer.view())
    },
  }

  /** Sends what the first operation has to send; one that cannot be sent makes way for the next. */
  function start(): void {
    timer = undefined
    for (let operation = queue[0]; operation !== undefined; operation = queue[0]) {
      try {
        writer.truncate()
        operation.send(sender)
        return
      } catch (error) {
        operation.fail(error instanceof Error ? error : new Error(String(error)))
        queue.shift()
      }
    }
    if (!closed) transport.setBusy(false)
  }

  function take(message: SequencedMessage): void {
    const outcome = queue[0]?.take(message) ?? 'wait'
    if (outcome === 'done') proceed()
    else if (outcome === 'more') timer = setImmediate(start) // other sockets and timers get their turn between two sends
  }

  /** The first is settled: on to the next. */
  function proceed(): void {
    clearImmediate(timer)
    queue.shift()
    start()
  }

  function submit<T>(make: (settle: Settle<T>) => Operation): Promise<T> {
    return new Promise((resolve, reject) => {
      if (closed) {
        reject(new Error('the netlink channel is closed'))
        return
      }
      queue.push(make({ resolve, reject }))
      if (queue.length > 1) return
      transport.setBusy(true)
      start()
    })
  }

  const executeAll = (requests: Requests): Promise<readonly (Refusal | undefined)[]> =>
    requests.count === 0 ? Promise.resolve([]) : submit((settle) => execution(requests, settle))

  function fail(error: Error): void {
    if (closed) return
    closed = true
    clearImmediate(timer)
    transport.close()
    for (const operation of queue.splice(0)) operation.fail(error)
  }

  return {
    execute: (requests) =>
      executeAll({
        count: requests.length,
        type: (i) => requests[i]?.type ?? 0,
        flags: (i) => requests[i]?.flags ?? 0,
        writePayload: (to, i) => {
          to.bytes(requests[i]?.payload ?? nothing)
        },
      }),
    executeEach: (batch) =>
      executeAll({
        count: batch.count,
        type: () => batch.type,
        flags: () => 0,
        writePayload: (to, i) => {
          batch.write(to, i)
        },
      }),
    port: transport.port,
    ask: (request) => submit((settle) => question(request, settle)),
    dump: (request) => submit((settle) => dumping(request, settle)),
    close: () => {
      fail(new Error('the netlink channel was closed'))
    },
  }
}
