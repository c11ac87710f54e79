import { execFile, spawn, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'

/** A network namespace that nobody else uses, with nothing in it but `lo`, which is down. */
export interface OwnNamespace {
  /** For `enterNamespace` and `withinNamespace`. */
  readonly path: string
  /** Runs a command there and resolves to what it printed; rejects when it fails. */
  run(command: string): Promise<string>
  /** Gone once the sockets in it are closed, too. */
  close(): void
}

/** Why no namespaces can be made here, for a test to say when it skips; undefined where they can. */
export const noNamespaces: string | undefined = whyNot()

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to make a network namespace'
  const { error, status, stderr } = spawnSync('unshare', ['--net', '--mount', 'ip', 'link'], { encoding: 'utf8' })
  if (status === 0) return undefined
  return `cannot make a network namespace: ${error?.message ?? stderr.trim()}`
}

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
  const path = `/proc/${holder.pid}/ns/net`
  return {
    path,
    // A fresh mount of sysfs shows the namespace's own interfaces, and mounts end with the command.
    async run(command) {
      const inside = ['--mount', 'sh', '-c', `mount -t sysfs none /sys && ${command}`]
      const { stdout } = await promisify(execFile)('nsenter', [`--net=${path}`, 'unshare', ...inside])
      return stdout
    },
    close() {
      holder.stdin.end()
    },
  }
}

/** Two namespaces joined by a cable: `eth0` in both, up, without IPv6 addresses of their own accord. */
export async function joinedNamespaces(): Promise<{ left: OwnNamespace; right: OwnNamespace; close(): void }> {
  const [left, right] = await Promise.all([ownNamespace(), ownNamespace()])
  await left.run(`ip link add eth0 type veth peer name eth0 netns ${right.path.split('/')[2]}`)
  const up = 'ip link set eth0 addrgenmode none && ip link set lo up && ip link set eth0 up'
  await Promise.all([left.run(up), right.run(up)])
  return {
    left,
    right,
    close() {
      left.close()
      right.close()
    },
  }
}
