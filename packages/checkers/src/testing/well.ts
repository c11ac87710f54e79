import { createServer as createHttp2, createSecureServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { certificate, testServers, type TestServers } from './servers.ts'

/** Whom a server of {@link wellServers} is for: by the address and port the probe comes from. */
export type Takes = (address: string, port: number) => boolean

/** A check as it is written without its connection, and a server it finds well. */
export interface Wellness {
  readonly kind: string
  /** What is in the block beside where to connect. */
  readonly words: string
  /** Serves whom it takes, and nobody else; answers its port. */
  readonly serve: (takes?: Takes, host?: string) => Promise<number>
}

/** A server of each kind that connects, and what else they need to be told apart from any other. */
export interface WellServers {
  readonly all: readonly Wellness[]
  readonly servers: TestServers
  close(): Promise<void>
}

const page = 'HTTP/1.0 200 OK\r\n\r\nfine'
const serving = Buffer.from('00000000020801', 'hex')

/** Servers that say what each kind of check wants to hear. */
export function wellServers(): WellServers {
  const servers = testServers()
  const http2: Http2Server[] = []

  const tcp =
    (speak: (socket: Socket) => void): Wellness['serve'] =>
    (takes = () => true, host = '127.0.0.1') =>
      servers.tcp(picky(takes, speak), host)
  const tls: Wellness['serve'] = (takes = () => true, host = '127.0.0.1') => servers.tls(picky(takes, web), {}, host)
  const udp: Wellness['serve'] = (takes = () => true, host = '127.0.0.1') =>
    servers.udp((data, reply, from) => {
      if (!takes(from.address, from.port)) return
      // The query as its own answer, without an error.
      const answer = Buffer.from(data)
      answer[2] = 0x81
      answer[3] = 0x80
      reply(answer)
    }, host)

  function h2(secure: boolean, answer: (stream: ServerHttp2Stream) => void): Wellness['serve'] {
    return (takes = () => true, host = '127.0.0.1') => {
      const server = secure ? createSecureServer(certificate()) : createHttp2()
      http2.push(server)
      server.on('sessionError', () => undefined)
      server.on('session', (session) => {
        session.unref()
        session.on('error', () => undefined)
        const { remoteAddress = '', remotePort = 0 } = session.socket
        if (!takes(remoteAddress, remotePort)) session.destroy()
      })
      server.on('stream', (stream: ServerHttp2Stream) => {
        stream.on('error', () => undefined)
        answer(stream)
      })
      return new Promise((resolve) => {
        server.listen(0, host, () => {
          resolve((server.address() as AddressInfo).port)
        })
      })
    }
  }

  const url = 'url {\n path /\n }'
  return {
    servers,
    all: [
      { kind: 'TCP_CHECK', words: 'expect hello', serve: tcp((socket) => socket.write('hello')) },
      { kind: 'HTTP_GET', words: url, serve: tcp(web) },
      { kind: 'SSL_GET', words: url, serve: tls },
      { kind: 'SSL_GET', words: `${url}\n http_protocol 2`, serve: h2(true, answerPage) },
      { kind: 'SMTP_CHECK', words: '', serve: tcp(mail) },
      { kind: 'DNS_CHECK', words: '', serve: udp },
      { kind: 'UDP_CHECK', words: 'require_reply', serve: udp },
      { kind: 'AGENT_CHECK', words: 'agent_required', serve: tcp((socket) => socket.end('up\n')) },
      { kind: 'GRPC_CHECK', words: '', serve: h2(false, answerServing) },
      { kind: 'GRPC_CHECK', words: 'tls', serve: h2(true, answerServing) },
    ],
    async close() {
      for (const server of http2) server.close()
      await servers.close()
    },
  }
}

const picky =
  (takes: Takes, speak: (socket: Socket) => void) =>
  (socket: Socket): void => {
    if (takes(socket.remoteAddress ?? '', socket.remotePort ?? 0)) speak(socket)
    else socket.destroy()
  }

/** As strict as most are about the Host header. */
const web = (socket: Socket): void =>
  void socket.once('data', (request: Buffer) =>
    socket.end(
      /\r\nHost: [\w.:[\]-]+\r\n/.test(request.toString('latin1')) ? page : 'HTTP/1.0 400 Bad Request\r\n\r\n',
    ),
  )

function mail(socket: Socket): void {
  socket.write('220 mx\r\n')
  socket.on('data', (line) => socket.write(line.toString().startsWith('HELO') ? '250 ok\r\n' : '221 bye\r\n'))
}

function answerPage(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 })
  stream.end('fine')
}

function answerServing(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' })
  })
  stream.end(serving)
}
