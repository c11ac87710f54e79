import { effectiveJson, type Config, type ProcessSettings } from '@ipvs-director/config'
import { describeError, type Logger } from '@ipvs-director/core'
import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { nameOfRun } from './places.ts'

/** Files that keepalived's users ask for; one that cannot be written is logged, and nothing else comes of it. */
export interface Dumps {
  /** `reload_file`: is there while `work` is done. */
  during<T>(settings: ProcessSettings | undefined, work: () => Promise<T>): Promise<T>
  /** `config_save_dir`: what runs, before (`pre`) and after (`post`) another configuration is taken. */
  copy(config: Config, when: 'pre' | 'post'): void
  /** SIGUSR1: state and effective configuration as JSON, without secrets, for root only. */
  state(config: Config | undefined, status: unknown): void
}

export function createDumps(stateDirectory: string, logger: Logger): Dumps {
  let copies = 0

  function attempt(what: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      logger.warn('dump.failed', `${what}: ${describeError(error)}`)
    }
  }

  return {
    async during(settings, work) {
      const wish = settings?.files.reloadMarker
      if (wish === undefined) return work()
      const path = wish === '' ? join(stateDirectory, 'ipvs-director.reload') : wish
      attempt(`cannot make ${path}`, () => { touch(path) }) // prettier-ignore
      try {
        return await work()
      } finally {
        attempt(`cannot remove ${path}`, () => { rmSync(path, { force: true }) }) // prettier-ignore
      }
    },

    copy(config, when) {
      const directory = config.process.files.configCopies
      if (directory === undefined) return
      if (when === 'pre') copies++
      const path = join(directory, `ipvs-director.${process.pid}.${copies}.${when}`)
      attempt(`cannot write ${path}`, () => {
        replace(path, effectiveJson(config))
      })
    },

    state(config, status) {
      const path = dumpPath(config?.process, stateDirectory)
      attempt(`cannot write ${path}`, () => {
        replace(path, { status, config: config === undefined ? undefined : effectiveJson(config) })
        logger.info('dump', `The state is in ${path}`)
      })
    },
  }
}

/** `state_dump_file`: a path, a directory (with a `/` at its end), or a name in the state directory. */
export function dumpPath(settings: ProcessSettings | undefined, stateDirectory: string): string {
  const wish = settings?.files.stateDump ?? ''
  const path = wish.startsWith('/') ? wish : join(stateDirectory, wish)
  const full = path.endsWith('/') || wish === '' ? join(path, 'ipvs-director.data') : path
  const name = settings?.files.dumpNamesInstance === true ? nameOfRun(settings) : undefined
  if (name === undefined) return full
  const [, stem = '', suffix = ''] = /^(.+?)(\.[^.]*)?$/.exec(basename(full)) ?? []
  return join(dirname(full), `${stem}.${name}${suffix}`)
}

/** A link that somebody else put there is not followed, and a pipe not waited for. */
function touch(path: string): void {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  closeSync(openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644))
}

/** In one step: a link that somebody else put there is replaced, not followed. */
function replace(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  const next = `${path}.${process.pid}.new`
  rmSync(next, { force: true })
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(next, path)
}
