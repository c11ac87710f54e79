import { millis } from '@ipvs-director/core'
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import type { Verdict } from '../checker.ts'
import { checkers } from '../checkers.ts'
import { createNodeIo } from '../io/node-io.ts'
import { connectionTo } from './checks.ts'
import { probeOnce } from './probe.ts'
import { readChecker, type Around } from './read.ts'
import { certificate, testServers, type TestServers } from './servers.ts'

/** Files of a key and its certificate. */
export interface Pem {
  readonly cert: string
  readonly key: string
}

/** Servers that somebody else wrote, in a folder of their own, and checks of them. */
export interface RealServers {
  readonly folder: string
  readonly servers: TestServers
  /** Writes a file of the folder; answers its path. */
  readonly write: (name: string, text: string) => string
  /** Starts a server in the foreground and waits until its port is open. */
  readonly start: (port: number, ...command: readonly string[]) => Promise<void>
  /** Makes one probe, by a checker as it stands in a configuration. */
  readonly ask: (block: string, port: number, around?: Around) => Promise<Verdict>
  /** Self-signed for `localhost` and 127.0.0.1. */
  readonly pem: (kind: 'valid' | 'expired') => Pem
  /** Signed by an authority of that name (its own certificate is `authority(name)`), for this host name. */
  readonly signed: (by: string, host: string) => Pem
  readonly authority: (name: string) => string
  readonly close: () => Promise<void>
}

const path = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }

/** A program, or what a command finds out about something else. */
export type Needed = string | { readonly name: string; readonly foundBy: string }

/** A test that is skipped, and says why, where something that it needs is not there. */
export function testAgainst(name: string, needed: readonly Needed[], body: () => Promise<void>): void {
  const lacking = needed
    .map((each) => (typeof each === 'string' ? { name: each, foundBy: `command -v ${each}` } : each))
    .filter(({ foundBy }) => spawnSync('sh', ['-c', foundBy], { env: path, stdio: 'ignore' }).status !== 0)
    .map((each) => each.name)
  test(name, { timeout: 60_000 }, async ({ skip }) => {
    skip(lacking.length > 0, `there is no ${lacking.join(' and no ')} here`)
    await body()
  })
}

export function realServers(): RealServers {
  const folder = mkdtempSync(join(tmpdir(), 'real-servers-'))
  chmodSync(folder, 0o755)
  const servers = testServers()
  const running: ChildProcess[] = []
  const io = createNodeIo()
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { stdio: 'ignore', cwd: folder })
  const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authorities = new Map<string, Pem>()
  function authority(name: string): Pem {
    let known = authorities.get(name)
    if (known === undefined) {
      known = { cert: join(folder, `${name}-ca.pem`), key: join(folder, `${name}-ca.key`) }
      openssl('req', '-x509', ...ecKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', known.key, '-out', known.cert)
      authorities.set(name, known)
    }
    return known
  }
  return {
    folder,
    servers,
    write,
    authority: (name) => authority(name).cert,
    async start(port, program = '', ...args) {
      const child = spawn(program, args, { stdio: 'ignore', env: path, cwd: folder })
      running.push(child)
      for (let tries = 0; tries < 800; tries++) {
        if (await isOpen(port)) return
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`)
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      throw new Error(`${program} does not listen on port ${port}`)
    },
    async ask(block, port, around) {
      const { checker: read, remarks } = await readChecker(block, around)
      const errors = remarks.filter((remark) => remark.startsWith('E'))
      if (errors.length > 0) throw new Error(errors.join())
      const checker = checkers.find(({ keyword }) => keyword === read?.kind)
      if (checker === undefined) throw new Error('there is no such checker')
      return probeOnce(checker, io, connectionTo(port), read?.options, { timeout: millis(3000) })
    },
    pem(kind) {
      const { cert, key } = certificate(kind)
      return { cert: write(`${kind}.pem`, cert), key: write(`${kind}.key`, key) }
    },
    signed(by, host) {
      const ca = authority(by)
      const name = `${by}-${host}`
      const [cert, key, request] = [`${name}.pem`, `${name}.key`, `${name}.csr`].map((each) => join(folder, each)) as [
        string,
        string,
        string,
      ]
      const extensions = write(`${name}.ext`, `subjectAltName=DNS:${host}\n`)
      openssl('req', '-new', ...ecKey, '-subj', `/CN=${host}`, '-keyout', key, '-out', request)
      const signing = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '2', '-extfile', extensions]
      openssl('x509', '-req', '-in', request, ...signing, '-out', cert)
      return { cert, key }
    },
    async close() {
      for (const child of running) child.kill('SIGTERM')
      await servers.close()
      for (const child of running) {
        if (child.exitCode === null && child.signalCode === null)
          await new Promise((resolve) => child.once('exit', resolve))
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => {
      resolve(false)
    })
  })
}
