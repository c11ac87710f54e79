import type { Config } from '@ipvs-director/config'
import {
  claimSocket,
  createControlServer,
  SocketPathError,
  type ProbingNeeds,
  type SocketClaim,
} from '@ipvs-director/control'
import { count, describeError, systemClock, type Logger, type Millis } from '@ipvs-director/core'
import { keepMallocSmall } from '@ipvs-director/linux'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { createAlarms } from './alarms/alarms.ts'
import { testConfig } from './config-test.ts'
import { sayWithoutEffect, withoutEffect } from './compare/without-effect.ts'
import type { Director, DirectorOptions, Loaded } from './director-options.ts'
import { createDirector } from './director.ts'
import { createFailover, noFailover } from './failover.ts'
import { collectGarbage } from './garbage.ts'
import { createGroupMarks } from './group-marks.ts'
import { ipvsOf } from './ipvs-of.ts'
import { logConfig } from './log/dump-config.ts'
import { logSettings } from './log/settings.ts'
import { createLogging, stderrIsJournal, type Logging } from './logging.ts'
import { help, readCommandLine, UsageError, type CommandLine } from './options.ts'
import { needsOf, requireDescriptors } from './needs.ts'
import { ownedFile } from './owned-file.ts'
import { overlayFile } from './overlay-file.ts'
import { createRereader, type Rereader } from './reread.ts'
import { removedConnections } from './removed-connections.ts'
import { fifoScriptRunner, scriptRunner } from './scripts.ts'
import { createSnmp } from './snmp/snmp.ts'
import { withSnmp } from './snmp/with-snmp.ts'
import { lastGoodFile } from './sources/last-good.ts'
import { openSource } from './sources/open.ts'
import { shortened } from './remarks.ts'
import { placesOf } from './surroundings/places.ts'
import { takeSignals, type Signals } from './signals.ts'
import { createSurroundings } from './surroundings/surroundings.ts'
import { serviceManager, type ServiceManager } from './systemd.ts'
import { version } from './version.ts'
import { runNft, runProgram } from './vrrp-link/run-program.ts'
import { startVrrpProcess, type VrrpProcessOptions } from './vrrp-process.ts'

/** Exit statuses, keepalived's where it has them (reference/operations.md §2). */
export const exitStatus = { ok: 0, fatal: 1, configuration: 2, permission: 4, noConfiguration: 6 } as const

/** The whole program; resolves to its exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let options: CommandLine
  try {
    options = readCommandLine(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`ipvs-director: ${error.message}\n\n${help}`)
    return exitStatus.fatal
  }
  if (options.help) return say(help)
  if (options.version) return say(`ipvs-director ${version}\n`)
  if (options.configTest !== false) return testConfig(options)
  return run(options)
}

function say(text: string): number {
  process.stdout.write(text)
  return exitStatus.ok
}

/** From the first look at the kernel to the last word of the log. */
async function run(options: CommandLine): Promise<number> {
  const logging = createLogging(logSettings(options.log, stderrIsJournal()))
  const { logger } = logging
  const service = serviceManager()
  const signals = takeSignals()
  try {
    return await serve(options, logging, service, signals)
  } catch (error) {
    const taken = error instanceof SocketPathError && error.kind === 'taken'
    logger.error(taken ? 'already-running' : 'fatal', describeError(error))
    service.failed(describeError(error), taken ? constants.errno.EADDRINUSE : errnoOf(error))
    return exitCodeOf(error)
  } finally {
    await Promise.all([logging.close(), service.close()])
  }
}

/** For `systemctl status`; what has no number of its own is an input/output error. */
function errnoOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new Map<string, number>(Object.entries(constants.errno)).get(code) ?? constants.errno.EIO
}

function exitCodeOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EPERM' || code === 'EACCES' ? exitStatus.permission : exitStatus.fatal
}

/** The socket is claimed first: of two directors started at once only one goes on to write to the kernel. */
async function serve(
  options: CommandLine,
  logging: Logging,
  service: ServiceManager,
  signals: Signals,
): Promise<number> {
  const { logger } = logging
  logger.info('start', `Starting ipvs-director ${version}, configuration ${options.file}`)
  for (const remark of options.remarks) logger.warn('option', remark)
  requireDescriptors()
  if (!existsSync(options.file)) {
    const message = `cannot read ${options.file}: there is no such file`
    logger.error('config.missing', message)
    service.failed(message, constants.errno.ENOENT)
    return exitStatus.noConfiguration
  }
  const reader = createRereader(options.file, options)
  const loaded = await reader.first()
  const placed = loaded.config === undefined ? options : placesOf(options, loaded.config.process)
  const claim = await claimSocket({ path: placed.socket, group: placed.socketGroup })
  try {
    if (placed.pidFile !== undefined) writeFileSync(placed.pidFile, `${process.pid}\n`)
    return await direct({ options: placed, first: loaded, reader, logging, claim, service, signals })
  } finally {
    await claim.release()
    if (placed.pidFile !== undefined) rmSync(placed.pidFile, { force: true })
  }
}

/** A program that has its socket and has read its file. */
interface Run {
  readonly options: CommandLine
  /** What was read before the socket was claimed. */
  readonly first: Loaded
  readonly reader: Rereader
  readonly logging: Logging
  readonly claim: SocketClaim
  readonly service: ServiceManager
  readonly signals: Signals
}

async function direct({ options, first, reader, logging, claim, service, signals }: Run): Promise<number> {
  const { logger } = logging
  const surroundings = createSurroundings(options, first.config, logger)
  const services = options.services && (first.config?.virtualServers.length ?? 0) > 0
  const ipvs = await surroundings.settle(() => ipvsOf({ ...options, services }, logger))
  let running: Config | undefined
  let probing: ProbingNeeds | undefined
  const wiring: DirectorOptions = {
    file: options.file,
    version,
    load: surroundings.reading(loader(options, first, reader)),
    used(config) {
      surroundings.use(config)
      running = config
    },
    failover: failoverOf(options, logger, surroundings.childWait),
    alarms: (globals) =>
      withSnmp(
        createAlarms({ clock: systemClock, logger, runFifoScript: fifoScriptRunner(globals, logger) }),
        createSnmp({
          status: () => director.status(),
          clock: systemClock,
          logger,
          enable: options.snmp,
          socket: options.snmpSocket,
        }),
      ),
    ipvs,
    ipvsVersion: async () => (options.memoryIpvs ? 'memory' : (await ipvs.info()).version),
    // Loaded once the table is right: what probes is more than half of the program.
    startProber: async (events, globals) =>
      (await import('./probing.ts')).startProbing(options.probers, events, globals, logger, surroundings.childWait),
    runScript: scriptRunner(logger),
    ...(options.memoryIpvs
      ? {}
      : {
          marks: (events) =>
            createGroupMarks({
              run: nftWithIpvs(first.config?.process.ipvsNamespace),
              clock: systemClock,
              logger,
              events,
            }),
        }),
    owned: ownedFile(join(options.stateDirectory, 'owned.json'), (problem) => {
      logger.error('owned.damaged', problem)
    }),
    overlay: overlayFile(options.overlay),
    sources: {
      store: lastGoodFile(join(options.stateDirectory, 'sources.json')),
      open: (settings) => openSource(settings, systemClock),
    },
    probing: () => probing,
    logger,
    clock: systemClock,
  }
  const director = createDirector(options.compare ? withoutEffect(wiring) : wiring)
  if (options.compare) sayWithoutEffect(logger)
  const reload = telling(director, service, () => {
    if (running !== undefined) void reckon(running)
  })
  /** What will not fit on this machine, of what a configuration asks for. */
  async function reckon(config: Config): Promise<void> {
    probing = await needsOf(config, options.probers)
    for (const remark of probing.remarks) logger.warn('limits', remark)
  }
  const ending = untilAsked()
  onSignals(signals, reload, logger, ending.stop)
  const loaded = await director.start()
  for (const [i, remark] of shortened(loaded.diagnostics).entries()) {
    logger[i < loaded.errors ? 'error' : 'warn']('config', remark)
  }
  if (loaded.config === undefined) {
    logger.error('config.unusable', `${options.file} cannot be run`)
    service.failed(`${options.file} cannot be run: ${loaded.diagnostics[0] ?? ''}`, constants.errno.EINVAL)
    return exitStatus.configuration
  }
  logger.info('ready', `Startup complete: ${readiness(loaded)}`)
  service.ready(readiness(loaded))
  service.watch(systemClock, () => true)
  await logging.open()
  // Whoever moves the log file away asks for a new one, as with other daemons.
  signals.on('SIGUSR2', () => {
    logging.reopen()
  })
  void reckon(loaded.config)
  const removed = options.memoryIpvs || loaded.config.virtualServers.length === 0 ? undefined : removedConnections()
  if (removed !== undefined) logger.info('connections.removed', removed)
  if (options.dumpConfig) logConfig(loaded.config, logger)
  surroundings.begin(
    director,
    () => {
      reloadAloud(reload, logger)
    },
    signals,
  )
  // The table is right, and the probers are only starting.
  await reader.tidy()
  collectGarbage()
  keepMallocSmall()
  const control = await openControl(claim, { ...director, reload }, logger, ending.stop)
  const keep = (await ending.asked) || options.keepIpvs
  logger.info('stop', keep ? 'Stopping; the IPVS table stays as it is' : 'Stopping')
  service.stopping()
  await control.close()
  await director.stop({ keep, keepVips: options.keepVips })
  ipvs.close()
  await surroundings.end()
  logger.info('stopped', 'Stopped')
  return exitStatus.ok
}

/** nft(8) where IPVS is: `net_namespace_ipvs`, without a name the first one of the machine. */
const nftWithIpvs = (namespace: string | undefined): typeof runNft =>
  namespace === undefined
    ? runNft
    : (script) => {
        const path = namespace === '' ? '/proc/1/ns/net' : `/run/netns/${namespace}`
        return runProgram(['nsenter', `--net=${path}`, 'nft', '-f', '-'], script)
      }

const readiness = ({ config }: Loaded): string => count(config?.virtualServers.length ?? 0, 'virtual server')

/** Reloads, and lets whoever started this program know of it. */
function telling(director: Director, service: ServiceManager, done: () => void): Director['reload'] {
  return async (how) => {
    service.reloading()
    try {
      const result = await director.reload(how)
      service.ready('reloaded')
      if (result.ok) done()
      else {
        const why = result.diagnostics[0] ?? 'nothing to run'
        service.failed(`the last reload was refused, what was loaded before still runs: ${why}`, constants.errno.EINVAL)
      }
      return result
    } catch (error) {
      service.ready('what was loaded before still runs')
      service.failed(`the last reload failed: ${describeError(error)}`, errnoOf(error))
      throw error
    }
  }
}

/** What was read at the start first; later the file as it is then. */
function loader(options: CommandLine, first: Loaded, reader: Rereader): DirectorOptions['load'] {
  let read: Loaded | undefined = first
  return async (file) => {
    const loaded = read ?? (await reader.again(file))
    read = undefined
    if (options.services || loaded.config === undefined) return loaded
    return { ...loaded, config: { ...loaded.config, virtualServers: [] } }
  }
}

function failoverOf(options: CommandLine, logger: Logger, stopPatience: () => Millis): DirectorOptions['failover'] {
  if (!options.vrrp) return () => noFailover
  const start = (how: VrrpProcessOptions) => startVrrpProcess({ ...how, stopPatience })
  return (events, happened) => createFailover({ start, logger, events, clock: systemClock, happened })
}

/** The moment somebody wants the end; the first one counts. */
function untilAsked(): { asked: Promise<boolean>; stop: (keep: boolean) => void } {
  let stop: (keep: boolean) => void = () => undefined
  const asked = new Promise<boolean>((resolve) => {
    stop = resolve
  })
  return {
    asked,
    stop: (keep) => {
      stop(keep)
    },
  }
}

async function openControl(socket: SocketClaim, director: Director, logger: Logger, stop: (keep: boolean) => void) {
  return createControlServer({
    socket,
    logger,
    handlers: {
      version: () => director.version(),
      status: () => director.status(),
      reload: (how) => director.reload(how),
      confirm: () => director.confirm(),
      plan: (file) => director.plan(file),
      steer: (request) => director.steer(request),
      vrrp: (command, instance) => director.vrrp(command, instance),
      restartProber: (name) => director.restartProber(name),
      audit: () => director.audit(),
      drift: () => director.drift(),
      subscribe: (after, listener) => director.subscribe(after, listener),
      stop: ({ keep }) => {
        stop(keep)
      },
    },
  })
}

/** A reload that nobody waits for. */
function reloadAloud(reload: Director['reload'], logger: Logger): void {
  logger.info('reload.requested', 'Reloading ...')
  void reload().catch((error: unknown) => {
    logger.error('reload.failed', `reload failed, the old configuration stays: ${describeError(error)}`)
  })
}

function onSignals(signals: Signals, reload: Director['reload'], logger: Logger, stop: (keep: boolean) => void): void {
  signals.on('SIGHUP', () => {
    reloadAloud(reload, logger)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(false)
    })
  }
}
