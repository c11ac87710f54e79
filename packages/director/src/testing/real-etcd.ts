import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { EtcdGateway } from './etcd-gateway.ts'

/** An etcd of its own on loopback; `end` leaves nothing of it. */
export async function realEtcd(): Promise<EtcdGateway & { end(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const peers = `http://127.0.0.1:${await freePort()}`
  let child: ChildProcess
  const post = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${url}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    await response.text()
  }
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  const gateway = {
    url,
    put: (key: string, value: string) => post('put', { key: encode(key), value: encode(value) }),
    remove: (key: string) => post('deleterange', { key: encode(key) }),
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
    async start() {
      const options = {
        'data-dir': directory,
        'listen-client-urls': url,
        'advertise-client-urls': url,
        'listen-peer-urls': peers,
        'initial-advertise-peer-urls': peers,
        'initial-cluster': `default=${peers}`,
        'log-level': 'error',
      }
      const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
      child = spawn('etcd', words, { stdio: 'ignore' })
      const until = Date.now() + 20_000
      while (
        !(await post('range', { key: encode('x') }).then(
          () => true,
          () => false,
        ))
      ) {
        if (Date.now() > until || child.exitCode !== null) throw new Error('etcd did not start')
        await setTimeout(50)
      }
    },
    async end() {
      await gateway.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
  await gateway.start()
  return gateway
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
