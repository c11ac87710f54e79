import type { CheckConnection } from '@ipvs-director/config'
import { familyOf } from '@ipvs-director/core'
import { openSocket, type KernelSocket, type SocketListener } from '@ipvs-director/linux'
import { createSocket } from 'node:dgram'
import type { Attempt } from '../attempt.ts'
import { Conversation } from './conversation.ts'
import { systemFailure } from './failure.ts'
import type { Datagrams } from './port.ts'
import { addressOf, ownFailure, prepare } from './prepare.ts'
import { AF_INET, AF_INET6 } from './sockaddr.ts'
import { targetOf } from './target.ts'

/** linux/net.h */
const SOCK_DGRAM = 2

/** A connected UDP socket of the addon: it takes marks and interfaces, and ICMP errors come as errors. */
export async function datagramsKernel(at: CheckConnection, attempt: Attempt): Promise<Datagrams> {
  const conversation = new Conversation(targetOf(at).where, attempt)
  let socket: KernelSocket | undefined
  const listener: SocketListener = {
    message: (data) => {
      conversation.arrived(data)
    },
    error: (error) => {
      conversation.broke(systemFailure(error, conversation.where))
    },
  }
  try {
    const domain = familyOf(at.address) === 'inet' ? AF_INET : AF_INET6
    socket = openSocket({ domain, type: SOCK_DGRAM, protocol: 0 }, listener)
    prepare(socket, at)
  } catch (error) {
    socket?.close()
    conversation.close()
    throw ownFailure(error, conversation.where)
  }
  const opened = socket
  const early = conversation.open({
    send: (data) => {
      try {
        opened.send(data)
      } catch (error) {
        conversation.broke(systemFailure(error, conversation.where, true))
      }
    },
    close: () => {
      opened.close()
    },
  })
  if (early !== undefined) throw early
  try {
    opened.connect(addressOf(at))
    opened.start()
  } catch (error) {
    conversation.close()
    throw systemFailure(error, conversation.where, true)
  }
  return conversation
}

/** The same by node:dgram, for machines without the addon. */
export function datagramsNode(at: CheckConnection, attempt: Attempt): Promise<Datagrams> {
  const conversation = new Conversation(targetOf(at).where, attempt)
  const socket = createSocket(familyOf(at.address) === 'inet' ? 'udp4' : 'udp6')
  socket.on('message', (data) => {
    conversation.arrived(data)
  })
  const early = conversation.open({
    send: (data) => {
      socket.send(data, (error) => {
        if (error !== null) conversation.broke(systemFailure(error, conversation.where, true))
      })
    },
    close: () => {
      socket.close()
    },
  })
  if (early !== undefined) return Promise.reject(early)
  return new Promise((resolve, reject) => {
    socket.on('error', (error) => {
      const failure = systemFailure(error, conversation.where)
      conversation.broke(failure)
      reject(failure)
    })
    const connect = (): void => {
      socket.connect(at.port, at.address, () => {
        resolve(conversation)
      })
    }
    if (at.bindAddress === undefined && at.bindPort === undefined) connect()
    else socket.bind({ address: at.bindAddress, port: at.bindPort ?? 0, exclusive: true }, connect)
  })
}
