import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { hostNamespace } from './spec.ts'
import { finish, LabProcess, type Result, type RunOptions, type StartOptions } from './process.ts'

/** A host of a lab that is up: a network namespace, a folder of its own, and the programs that run in it. */
export class Host {
  readonly name: string
  /** Its network namespace, as `ip netns` knows it. */
  readonly namespace: string
  /** A folder on the machine for this host's files; removed with the lab. */
  readonly folder: string
  readonly #track: (process: LabProcess) => void

  constructor(name: string, prefix: string, folder: string, track: (process: LabProcess) => void) {
    this.name = name
    this.namespace = hostNamespace(prefix, name)
    this.folder = folder
    this.#track = track
    mkdirSync(folder, { recursive: true })
  }

  /** The command as it must be started on the machine to run inside this host. */
  inside(command: readonly string[]): string[] {
    return ['nsenter', `--net=/run/netns/${this.namespace}`, '--', ...command]
  }

  /** Starts a program and lets it run; it is killed with its process group when the lab goes down. */
  spawn(command: readonly string[], options: StartOptions = {}): LabProcess {
    const process = new LabProcess(this.inside(command), {
      ...options,
      cwd: options.cwd ?? this.folder,
      env: { LAB_HOST: this.name, ...options.env },
    })
    this.#track(process)
    return process
  }

  /** Runs a command to its end. */
  run(command: readonly string[], options: RunOptions = {}): Promise<Result> {
    return finish(this.spawn(command, options), options)
  }

  /** Runs a command that must succeed; resolves with what it printed. */
  async output(command: readonly string[], options: RunOptions = {}): Promise<string> {
    return (await this.run(command, { ...options, check: true })).stdout
  }

  /** Several `ip` commands in one process: `addr add …`, `link set eth0 down`. */
  async ip(...lines: string[]): Promise<void> {
    await this.output(['ip', '-batch', '-'], { input: lines.join('\n') })
  }

  /** Writes below /proc/sys of this host. */
  async sysctl(name: string, value: string | number): Promise<void> {
    await this.output(['tee', `/proc/sys/${name.replaceAll('.', '/')}`], { input: String(value) })
  }

  /** Writes a file, in this host's folder unless the path is absolute; returns its path. */
  writeFile(path: string, text: string, mode = 0o644): string {
    const full = isAbsolute(path) ? path : join(this.folder, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text, { mode })
    return full
  }
}
