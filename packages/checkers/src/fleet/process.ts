import { describeError, millis, seconds, type Clock, type Millis, type Timer } from '@ipvs-director/core'
import { fork, type ChildProcess } from 'node:child_process'
import type { Check, Figures, Report } from '../checker.ts'
import { proberEnvironment, proberFlags } from './environment.ts'
import type { Needs } from './privileges.ts'
import { protocolVersion, readFromProber, type FromProber, type ToProber } from './messages.ts'

/** What one prober process is started with, and whom it tells. */
export interface ProcessOptions {
  readonly name: string
  readonly entry: string
  readonly clock: Clock
  readonly identity: { readonly uid: number; readonly gid: number } | undefined
  readonly needs: Needs
  readonly firstWait: Millis | undefined
  readonly material: ReadonlyMap<string, string>
  /** Without a sign of life for so long it is taken for hung. */
  readonly patience: Millis
  /** How long it may take to end when it is asked to. */
  readonly stopPatience: () => Millis
  reports(reports: readonly Report[]): void
  trouble(message: string): void
  /** It is gone; `why` is undefined when it was asked to go. Comes once. */
  gone(why: string | undefined): void
}

/** Checks in one message: it is copied in one go while nothing else runs, on both sides. */
const checksAtOnce = 250
const idsAtOnce = 5000
const pingEvery = seconds(1)
/** How long figures may take to come. */
const figuresPatience = seconds(2)

/** One running prober process. It is used once: when it is gone, another one takes its place. */
export class RunningProcess {
  readonly #options: ProcessOptions
  readonly #child: ChildProcess
  readonly #toAdd = new Map<string, Check>()
  readonly #toRemove = new Set<string>()
  readonly #asked = new Map<number, (figures: readonly Figures[] | undefined) => void>()
  #material: ReadonlyMap<string, string>
  #ready = false
  #sending = false
  #stopping = false
  #gone = false
  /** Heartbeats since the last sign of life. Counted, not timed: a director that stood still itself accuses nobody. */
  #missed = 0
  #heart: Timer | undefined
  #ask = 0
  #whenGone: (() => void) | undefined

  constructor(options: ProcessOptions) {
    this.#options = options
    this.#material = options.material
    this.#child = fork(options.entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...proberFlags],
      env: proberEnvironment(process.env),
    })
    this.#child.on('message', (message) => {
      this.#hear(message)
    })
    this.#child.on('error', (error) => {
      this.#leave(`cannot run: ${describeError(error)}`)
    })
    this.#child.on('exit', (code, signal) => {
      this.#leave(signal === null ? `ended with exit code ${code ?? 0}` : `ended by ${signal}`)
    })
    this.#beat()
  }

  get pid(): number | undefined {
    return this.#gone ? undefined : this.#child.pid
  }

  get needs(): Needs {
    return this.#options.needs
  }

  add(check: Check): void {
    // Also one that is about to be removed: it begins anew, as whoever asks for it knows nothing of what it had found.
    this.#toAdd.set(check.id, check)
    this.#pump()
  }

  remove(id: string): void {
    if (!this.#toAdd.delete(id)) this.#toRemove.add(id) // removals go first
    this.#pump()
  }

  setMaterial(files: ReadonlyMap<string, string>): void {
    this.#material = files
    if (this.#ready) this.#send({ do: 'material', files })
  }

  /** Of a few: they are told in one message. Undefined when it cannot say in time. */
  figures(ids: readonly string[]): Promise<readonly Figures[] | undefined> {
    if (!this.#ready || this.#gone) return Promise.resolve(undefined)
    const ask = ++this.#ask
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(figuresPatience, () => {
        this.#asked.delete(ask)
        resolve(undefined)
      })
      this.#asked.set(ask, (figures) => {
        timer.cancel()
        this.#asked.delete(ask)
        resolve(figures)
      })
      this.#send({ do: 'figures', ask, ids })
    })
  }

  /** Asks it to go, and makes it. Resolves when it is gone. */
  stop(): Promise<void> {
    if (this.#gone) return Promise.resolve()
    this.#stopping = true
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(this.#options.stopPatience(), () => {
        this.#child.kill('SIGKILL')
      })
      this.#whenGone = () => {
        timer.cancel()
        resolve()
      }
      if (this.#ready) this.#send({ do: 'stop' })
      else this.#child.kill('SIGKILL')
    })
  }

  #beat(): void {
    this.#heart = this.#options.clock.after(pingEvery, () => {
      if (++this.#missed * pingEvery > this.#options.patience) {
        this.#child.kill('SIGKILL')
        this.#leave('did not answer any more')
        return
      }
      if (this.#ready) this.#send({ do: 'ping', ask: ++this.#ask })
      this.#beat()
    })
  }

  #hear(received: unknown): void {
    const message = readFromProber(received)
    if (message === undefined || this.#gone) {
      if (!this.#gone) this.#options.trouble(`${this.#options.name} said something that is no message`)
      return
    }
    this.#missed = 0
    this.#obey(message)
  }

  #obey(message: FromProber): void {
    switch (message.say) {
      case 'ready':
        this.#ready = true
        this.#send({ do: 'material', files: this.#material })
        this.#pump()
        break
      case 'reports':
        this.#options.reports(message.reports)
        break
      case 'trouble':
        this.#options.trouble(message.message)
        break
      case 'figures':
        this.#asked.get(message.ask)?.(message.figures)
        break
      case 'pong':
        break
    }
  }

  /** Sends what is to be sent piece by piece: the next when the channel has taken the last. */
  #pump(): void {
    if (this.#sending || !this.#ready || this.#gone) return
    const next = this.#takeNext()
    if (next === undefined) return
    this.#sending = true
    this.#send(next, () => {
      setImmediate(() => {
        this.#sending = false
        this.#pump()
      })
    })
  }

  #takeNext(): ToProber | undefined {
    const ids = firstOf(this.#toRemove, idsAtOnce)
    if (ids.length > 0) {
      for (const id of ids) this.#toRemove.delete(id)
      return { do: 'remove', ids }
    }
    const checks = firstOf(this.#toAdd.values(), checksAtOnce)
    if (checks.length === 0) return undefined
    for (const { id } of checks) this.#toAdd.delete(id)
    return { do: 'add', checks }
  }

  #send(message: ToProber, sent?: () => void): void {
    if (this.#gone || !this.#child.connected) return
    // What cannot be sent is lost with the process, whose exit is reported.
    this.#child.send(message, () => sent?.())
  }

  /** The first message of all. */
  start(): void {
    const { identity, needs, firstWait } = this.#options
    this.#send({ do: 'setup', version: protocolVersion, identity, needs, firstWait })
  }

  #leave(why: string): void {
    if (this.#gone) return
    this.#gone = true
    this.#heart?.cancel()
    for (const answer of [...this.#asked.values()]) answer(undefined)
    this.#options.gone(this.#stopping ? undefined : why)
    this.#whenGone?.()
  }
}

function firstOf<T>(items: Iterable<T>, count: number): T[] {
  const first: T[] = []
  for (const item of items) {
    if (first.length === count) break
    first.push(item)
  }
  return first
}

/** Between a death and the next start: at once at first, then longer, so that one that cannot live costs little. */
export function restartDelay(deathsInARow: number): Millis {
  return millis(Math.min(30_000, deathsInARow <= 1 ? 100 : 1000 * 2 ** (deathsInARow - 2)))
}
