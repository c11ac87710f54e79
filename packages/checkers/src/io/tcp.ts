import type { CheckConnection } from '@ipvs-director/config'
import { connect, type Socket } from 'node:net'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { systemFailure } from './failure.ts'
import { ProbeStream, receiveBuffer as shared, type Wire } from './stream.ts'
import { metItself, targetOf } from './target.ts'

/** A TCP connection by node:net. Marks and interfaces need a socket of the addon: `kernel.ts`. */
export function connectTcp(at: CheckConnection, attempt: Attempt): Promise<ProbeStream> {
  const stream = new ProbeStream(targetOf(at).where, attempt)
  const socket = connect({
    host: at.address,
    port: at.port,
    ...(at.bindAddress === undefined ? {} : { localAddress: at.bindAddress }),
    ...(at.bindPort === undefined ? {} : { localPort: at.bindPort }),
    // Spares a shutdown(): the connection is closed as soon as the answer is read anyway.
    allowHalfOpen: true,
    onread: { buffer: shared, callback: (length) => stream.arrived(shared.subarray(0, length)) },
  })
  return follow(stream, socket, at)
}

/** Ties a socket that is connecting to its stream. */
function follow(stream: ProbeStream, socket: Socket, at: CheckConnection): Promise<ProbeStream> {
  let atOnce = false
  // node:net calls connect() in the tick after this one; if it failed there, no packet has been answered yet.
  process.nextTick(() => {
    atOnce = socket.destroyed
  })
  socket.on('connect', () => {
    if (isItself(socket, at)) stream.broke(new ProbeFailure('refused', `${metItself}: ${stream.where}`))
    else stream.opened()
  })
  socket.on('end', () => {
    stream.ended()
  })
  socket.on('error', (error) => {
    stream.broke(systemFailure(error, stream.where, atOnce))
  })
  return stream.open(wireOf(socket))
}

function wireOf(socket: Socket): Wire {
  return {
    write: (data) => {
      socket.write(data)
    },
    pause: () => {
      socket.pause()
    },
    resume: () => {
      socket.resume()
    },
    close: () => {
      socket.destroy()
    },
  }
}

function isItself(socket: Socket, at: CheckConnection): boolean {
  return targetOf(at).ephemeral && socket.localPort === at.port && socket.localAddress === socket.remoteAddress
}
