import type { ProcessSettings } from '@ipvs-director/config'
import { join } from 'node:path'
import { defaultOverlay, defaultSocket, defaultStateDirectory, type CommandLine } from '../options.ts'

/** `net_namespace` and `instance`, joined as keepalived does; undefined where neither is given. */
export function nameOfRun({ netNamespace, instance }: Pick<ProcessSettings, 'netNamespace' | 'instance'>) {
  const parts = [netNamespace, instance].filter((part) => part !== undefined && part !== '')
  return parts.length === 0 ? undefined : parts.join('_')
}

/**
 * Where this run keeps its files: several directors on one machine, each with an `instance` or a `net_namespace` of its own,
 * have directories of their own, unless the command line names the places. `use_pid_dir` makes a process id file there.
 */
export function placesOf(options: CommandLine, settings: ProcessSettings): CommandLine {
  const name = nameOfRun({ ...settings, netNamespace: options.namespace ?? settings.netNamespace })
  const within = (path: string, usual: string, directory: string, file: string): string =>
    name !== undefined && path === usual ? join(directory, name, file) : path
  const state = within(options.stateDirectory, defaultStateDirectory, defaultStateDirectory, '')
  return {
    ...options,
    stateDirectory: state,
    socket: within(options.socket, defaultSocket, defaultStateDirectory, 'control.sock'),
    overlay: within(options.overlay, defaultOverlay, '/var/lib/ipvs-director', 'overlay.json'),
    pidFile: options.pidFile ?? (settings.usePidDirectory ? join(state, 'ipvs-director.pid') : undefined),
  }
}
