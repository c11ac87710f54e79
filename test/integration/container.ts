/** A container as `docker run` makes it, from namespaces, chroot and setpriv: enough to see whether a program lives in one. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, type Host, type LabProcess, type Result } from '../lab/index.ts'

/** What an image is here. */
export type Image =
  /** The folder of a root file system, which is used as it is. */
  | { readonly folder: string }
  /** The machine's own files, with links to these programs first on the PATH. */
  | { readonly programs: Readonly<Record<string, string>> }

export interface ContainerOptions {
  readonly image: Image
  readonly hostname: string
  readonly command: readonly string[]
  /** Beside those that every container has: `NET_ADMIN`. */
  readonly capabilities: readonly string[]
  /** Files of the machine by where they are seen. */
  readonly files: Readonly<Record<string, string>>
}

/** A container that runs. */
export interface Container {
  readonly process: LabProcess
  /** Its /run, seen from outside. */
  readonly run: string
  /** `docker exec`: its namespaces, its files. */
  exec(...command: string[]): Promise<Result>
}

/** What Docker leaves to root in a container that asks for nothing. */
const usual = ['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap', 'net_bind_service', 'net_raw', 'sys_chroot', 'mknod', 'audit_write', 'setfcap'] // prettier-ignore

/** Starts a container in a host's network. The first process is a shell that waits for the command, as `init: true` has one. */
export function startContainer(host: Host, options: ContainerOptions): Container {
  const [place, run] = [join(host.folder, 'root'), join(host.folder, 'run')]
  const { image, hostname, command, capabilities, files } = options
  const bounds = [...usual, ...capabilities.map((name) => name.toLowerCase())].map((name) => `+${name}`)
  const inside = ['setpriv', `--bounding-set=-all,${bounds.join(',')}`, '--inh-caps=-all', 'chroot', place]
  const env = { PATH: `${'folder' in image ? '' : '/programs:'}${'folder' in image ? systemPath : (process.env['PATH'] ?? systemPath)}` } // prettier-ignore
  const script = host.writeFile('container.sh', prepare(place, run, image, hostname, files))
  const started = host.spawn(
    [...'unshare --mount --uts --pid --fork --kill-child sh'.split(' '), script, ...inside, ...command],
    { env },
  )
  return {
    process: started,
    run,
    exec(...words) {
      const [child] = readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, 'utf8').split(' ')
      return host.run(['nsenter', '-t', String(child), '-m', '-u', '-p', '--', ...inside, ...words], { env })
    },
  }
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Docker leaves /proc/sys to be read only. */
function prepare(
  place: string,
  run: string,
  image: Image,
  hostname: string,
  files: Readonly<Record<string, string>>,
): string {
  // prettier-ignore
  return [
    'set -e',
    'mount --make-rprivate /',
    `mkdir -p ${place}`,
    ...('folder' in image ? [`mount --bind ${image.folder} ${place}`] : ownFiles(place, image.programs)),
    `mkdir -p ${place}/proc ${place}/dev ${place}/run`,
    `mkdir -p ${run}; mount --bind ${run} ${place}/run`,
    `mount --rbind /dev ${place}/dev`,
    `mount -t proc proc ${place}/proc`,
    `mount --bind ${place}/proc/sys ${place}/proc/sys`,
    `mount -o remount,ro,bind ${place}/proc/sys`,
    ...Object.entries(files).flatMap(([at, file]) => [
      `mkdir -p ${place}${at.slice(0, at.lastIndexOf('/'))}`,
      `touch ${place}${at}`,
      `mount --bind ${file} ${place}${at}`,
    ]),
    `hostname ${hostname}`,
    'set +e',
    `trap 'kill -TERM $command' TERM`,
    '"$@" & command=$!',
    // A signal ends the first wait, not the command.
    'wait $command; wait $command; exit $?',
  ].join('\n')
}

/** Every folder of the machine but those that a container has for itself. */
function ownFiles(place: string, programs: Readonly<Record<string, string>>): string[] {
  const own = ['proc', 'dev', 'run', 'etc', 'sys']
  const entries = readdirSync('/', { withFileTypes: true }).filter(({ name }) => !own.includes(name))
  return [
    `mount -t tmpfs -o mode=755 tmpfs ${place}`,
    ...entries.flatMap((entry) => {
      if (entry.isSymbolicLink()) return [`cp -a /${entry.name} ${place}/`]
      return entry.isDirectory() ? [`mkdir ${place}/${entry.name}; mount --bind /${entry.name} ${place}/${entry.name}`] : [] // prettier-ignore
    }),
    `mkdir -p ${place}/etc ${place}/programs`,
    `cp -a /etc/passwd /etc/group /etc/ld.so.cache /etc/alternatives ${place}/etc/`,
    ...Object.entries(programs).map(([name, file]) => `ln -s ${file} ${place}/programs/${name}`),
    // The checkout may be below a folder that is not taken along.
    `mkdir -p ${place}${root}; mount --bind ${root} ${place}${root}`,
  ]
}
