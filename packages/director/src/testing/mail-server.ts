import { createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** A mail as a server got it. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and body, dots taken out, lines with \n. */
  readonly text: string
  readonly tls: boolean
  readonly user: string | undefined
}

export interface MailServerOptions {
  /** Offers STARTTLS. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** `user:password`; mail is taken after a login only. */
  readonly login?: string
  /** Answers to RCPT by address; default 250. */
  readonly recipients?: Readonly<Record<string, string>>
  /** Knows HELO only, as the servers of RFC 821. */
  readonly plainHelo?: boolean
  /** Says nothing at all. */
  readonly mute?: boolean
  /** Where it listens; default a free port of 127.0.0.1. */
  readonly listen?: { readonly host: string; readonly port: number }
}

/** A small SMTP server, on a free port of loopback unless told otherwise: all its answers have several lines where SMTP allows that. */
export async function mailServer(options: MailServerOptions = {}) {
  const mails: ReceivedMail[] = []
  const commands: string[] = []
  const sockets = new Set<Socket>()

  const converse = (socket: Socket, tls: boolean): void => {
    const say = (...lines: string[]): void =>
      void socket.write(lines.map((line, i) => `${line.slice(0, 3)}${i < lines.length - 1 ? '-' : ' '}${line.slice(4)}\r\n`).join('')) // prettier-ignore
    let rest = ''
    let data: string[] | undefined
    let from = ''
    let to: string[] = []
    let user: string | undefined
    const answer = (line: string): void => {
      const upper = line.toUpperCase()
      if (upper.startsWith('EHLO')) {
        if (options.plainHelo === true) say('502 not implemented')
        else say('250 test', '250 8BITMIME', ...(options.certificate !== undefined && !tls ? ['250 STARTTLS'] : []), ...(options.login === undefined ? [] : ['250 AUTH PLAIN'])) // prettier-ignore
      } else if (upper.startsWith('HELO')) say('250 test')
      else if (upper === 'STARTTLS' && options.certificate === undefined) say('502 no')
      else if (upper === 'STARTTLS') {
        say('220 go on')
        socket.removeAllListeners('data')
        converse(
          new TLSSocket(socket, { isServer: true, ...options.certificate }).on('error', () => undefined),
          true,
        )
      } else if (upper.startsWith('AUTH PLAIN')) {
        const [, name = '', password = ''] = Buffer.from(line.slice(11), 'base64').toString().split('\0')
        const known = `${name}:${password}` === options.login
        user = known ? name : undefined
        say(known ? '235 yes' : '535 no')
      } else if (upper.startsWith('MAIL FROM:')) {
        from = /<(.*?)>/.exec(line)?.[1] ?? ''
        to = []
        if (options.login !== undefined && user === undefined) say('530 login first')
        else say('250 ok', '250 sender')
      } else if (upper.startsWith('RCPT TO:')) {
        const address = /<(.*?)>/.exec(line)?.[1] ?? ''
        const refusal = options.recipients?.[address]
        if (refusal === undefined) to.push(address)
        say(refusal ?? '250 ok')
      } else if (upper === 'DATA') {
        data = []
        say('354 go on')
      } else if (upper === 'QUIT') socket.end('221 bye\r\n')
      else say('250 ok')
    }
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (data === undefined) {
          commands.push(line)
          answer(line)
        } else if (line === '.') {
          mails.push({ from, to, text: data.join('\n'), tls, user })
          data = undefined
          say('250 queued')
        } else data.push(line.startsWith('.') ? line.slice(1) : line)
      }
    })
    if (!tls && options.mute !== true) say('220 test', '220 ready')
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    converse(socket, false)
  })
  await new Promise<void>((resolve) => {
    server.listen(options.listen ?? { host: '127.0.0.1', port: 0 }, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    commands,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
