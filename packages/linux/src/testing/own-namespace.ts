import { spawn } from 'node:child_process'

/** A network namespace that nobody else uses, with nothing in it but `lo`, which is down. */
export interface OwnNamespace {
  /** For `enterNamespace` and `withinNamespace`. */
  readonly path: string
  /** Gone once the sockets in it are closed, too. */
  close(): void
}

/** Why no namespaces can be made here, for a test to say when it skips; undefined where they can. */
export const noNamespaces: string | undefined =
  process.getuid?.() === 0 ? undefined : 'needs root, to make a network namespace'

/** Makes the namespace by unshare(1), around a process that ends with this one. */
export async function ownNamespace(): Promise<OwnNamespace> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo made; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    holder.once('error', reject)
    holder.once('exit', (code) => {
      reject(new Error(`unshare ended with ${code}`))
    })
    holder.stdout.once('data', () => {
      resolve()
    })
  })
  return {
    path: `/proc/${holder.pid}/ns/net`,
    close() {
      holder.stdin.end()
    },
  }
}
