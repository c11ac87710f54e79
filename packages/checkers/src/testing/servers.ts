import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** Servers on loopback for tests; all of them end by `close()`. */
export interface TestServers {
  /** A TCP server on a free port; what each connection does is `behave`. */
  tcp(behave: (socket: Socket) => void, host?: string): Promise<number>
  /** The same behind TLS. */
  tls(behave: (socket: Socket) => void, options?: TlsOptions, host?: string): Promise<number>
  /** A UDP server on a free port. */
  udp(
    behave: (data: Buffer, reply: (data: Uint8Array) => void, from: RemoteInfo) => void,
    host?: string,
  ): Promise<number>
  /** A port nobody listens on. */
  closedPort(): Promise<number>
  /** A port whose queue is full: the kernel drops whoever wants to connect. */
  deaf(): Promise<number>
  close(): Promise<void>
}

export function testServers(): TestServers {
  const servers = new Set<Server>()
  const sockets = new Set<Socket>()
  const datagramSockets = new Set<DatagramSocket>()
  const children = new Set<ChildProcess>()

  function listen(server: Server, host: string): Promise<number> {
    servers.add(server)
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    })
    return new Promise((resolve) => {
      server.listen(0, host, () => {
        resolve((server.address() as AddressInfo).port)
      })
    })
  }

  return {
    tcp: (behave, host = '127.0.0.1') => listen(createServer({ allowHalfOpen: true }, behave), host),
    tls(behave, options = {}, host = '127.0.0.1') {
      const server = createTlsServer({ ...certificate(), ...options }, (socket) => {
        socket.on('error', () => undefined)
        behave(socket)
      })
      server.on('tlsClientError', () => undefined)
      return listen(server, host)
    },
    udp(behave, host = '127.0.0.1') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      datagramSockets.add(socket)
      socket.on('message', (data, from) => {
        behave(
          data,
          (reply) => {
            socket.send(reply, from.port, from.address, () => undefined)
          },
          from,
        )
      })
      return new Promise((resolve) => {
        socket.bind(0, host, () => {
          resolve(socket.address().port)
        })
      })
    },
    async closedPort() {
      const server = createServer()
      const port = await listen(server, '127.0.0.1')
      await new Promise((resolve) => server.close(resolve))
      return port
    },
    async deaf() {
      const script =
        "require('net').createServer().listen(0,'127.0.0.1',1,function(){console.log(this.address().port)})"
      const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      children.add(child)
      const port = await new Promise<number>((resolve) => child.stdout.once('data', (line) => resolve(Number(line))))
      child.kill('SIGSTOP')
      for (let i = 0; i < 4; i++) {
        const socket = connect({ host: '127.0.0.1', port })
        socket.on('error', () => undefined)
        sockets.add(socket)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
      return port
    },
    async close() {
      for (const child of children) child.kill('SIGKILL')
      for (const socket of sockets) socket.destroy()
      for (const socket of datagramSockets) socket.close()
      datagramSockets.clear()
      await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

/** Answers every request by these bytes and closes. */
export function answering(reply: string | Buffer): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => socket.end(reply))
  }
}

const made = new Map<string, { readonly cert: string; readonly key: string }>()

/** A self-signed certificate for `localhost` and 127.0.0.1, made by openssl at its first use; valid for two days, or over. */
export function certificate(validity: 'valid' | 'expired' = 'valid'): { readonly cert: string; readonly key: string } {
  const known = made.get(validity)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, request, cert] = ['key.pem', 'request.pem', 'cert.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' })
  const extensions = join(folder, 'extensions')
  writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
  openssl('req', '-new', ...kind, '-subj', '/CN=localhost', '-out', request)
  // Older versions of openssl take no -not_after, but a number of days below zero.
  const days = validity === 'valid' ? '2' : '-1'
  openssl('x509', '-req', '-in', request, '-signkey', key, '-days', days, '-extfile', extensions, '-out', cert)
  const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  made.set(validity, pair)
  rmSync(folder, { recursive: true })
  return pair
}
