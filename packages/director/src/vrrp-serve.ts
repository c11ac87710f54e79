/** The vrrp process's side of its messages: one `Vrrp` on this kernel, told what to do. */
import { describeError, loggerTo, systemClock } from '@ipvs-director/core'
import { createVrrp, type Vrrp } from '@ipvs-director/vrrp'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openVrrpLink, type LinuxVrrpLink } from './vrrp-link.ts'
import { guardedOf } from './vrrp-link/firewall.ts'
import { permissionOf } from './scripts.ts'
import {
  readToVrrp,
  vrrpProtocolVersion,
  type FromVrrp,
  type Lag,
  type ToVrrp,
  type VrrpCommand,
  type VrrpWork,
} from './vrrp-messages.ts'
import { useScheduling } from './surroundings/scheduling.ts'

/** Nanoseconds, as perf_hooks counts. */
const perMillisecond = 1e6
/** How often the loop's delay is sampled, in milliseconds; samples hold this much besides the delay itself. */
const resolution = 40

/** Takes messages until the end; `send` answers, `end` is called once, when everything is given up. */
export function serveVrrp(
  send: (message: FromVrrp) => void,
  end: (code: number) => void,
  niceness?: number,
): VrrpServant {
  const logger = loggerTo((level, event, message, fields) => {
    send({ say: 'log', level, event, message, fields })
  })
  const delays = monitorEventLoopDelay({ resolution })
  let work: VrrpWork | undefined
  let opening: Promise<{ link: LinuxVrrpLink; vrrp: Vrrp }> | undefined
  let ended = false

  async function open(first: VrrpWork): Promise<{ link: LinuxVrrpLink; vrrp: Vrrp }> {
    const { globals, instances } = first.plan.vrrp
    useScheduling('vrrp', { ...globals, name: globals.processName }, logger, niceness)
    const link = await openVrrpLink({
      logger,
      permit: ({ script }) => permissionOf(script, (work ?? first).scripts, logger),
      firewall: globals.nftables,
      notAccepted: instances.filter(({ accept }) => !accept).flatMap(guardedOf),
      routeFolders: globals.routeFolders,
      iptables: globals.iptables === undefined ? undefined : { ...globals.iptables, ipsets: globals.ipsets },
      interfacePrefixes: { own: globals.vmacPrefix, forAddresses: globals.vmacAddressPrefix },
      localIgmp: !globals.disableLocalIgmp,
    })
    delays.enable()
    // A reload that came meanwhile is in `work`.
    const { plan } = work ?? first
    const vrrp = createVrrp({ config: plan, link, clock: systemClock, logger, events: (event) => { send({ say: 'event', event }) } }) // prettier-ignore
    send({ say: 'ready' })
    return { link, vrrp }
  }

  function start(version: number, first: VrrpWork): void {
    if (version !== vrrpProtocolVersion) {
      fail(`director and vrrp process are of different versions: ${version} and ${vrrpProtocolVersion}`)
      return
    }
    work = first
    opening = open(first)
    opening.catch((error: unknown) => {
      fail(`cannot work: ${describeError(error)}`)
    })
  }

  function fail(why: string): void {
    if (ended) return
    ended = true
    send({ say: 'failed', why })
    end(1)
  }

  /** With the running VRRP, in the order of the messages. */
  function whenOpen(use: (vrrp: Vrrp) => void): void {
    opening?.then(
      ({ vrrp }) => {
        if (ended) return
        try {
          use(vrrp)
        } catch (error) {
          // Whoever is master stays so: to end would give up everything for one thing that is not as it should be.
          logger.error('vrrp.internal', `a message of the director could not be obeyed: ${describeError(error)}`)
        }
      },
      () => undefined, // told by `fail`
    )
  }

  function obey(message: ToVrrp): void {
    switch (message.do) {
      case 'start':
        start(message.version, message.work)
        break
      case 'apply':
        work = message.work
        whenOpen((vrrp) => {
          vrrp.apply(message.work.plan)
        })
        break
      case 'command':
        whenOpen((vrrp) => {
          send({ say: 'done', ask: message.ask, refused: carryOut(vrrp, message.command, message.name) })
        })
        break
      case 'status':
        whenOpen((vrrp) => {
          send({ say: 'status', ask: message.ask, status: vrrp.status(), lag: lagOf() })
        })
        break
      case 'ping':
        send({ say: 'done', ask: message.ask, refused: undefined })
        break
      case 'gate':
        whenOpen((vrrp) => {
          vrrp.gateOpened(message.gate)
        })
        break
      case 'report':
        whenOpen((vrrp) => {
          vrrp.report(message.kind, message.name, message.status)
        })
        break
      case 'stop':
        void stop(message.keep)
        break
    }
  }

  function lagOf(): Lag {
    const late = (nanoseconds: number): number => Math.max(0, Math.round(nanoseconds / perMillisecond) - resolution)
    const lag = { mean: delays.count === 0 ? 0 : late(delays.mean), worst: delays.count === 0 ? 0 : late(delays.max) }
    delays.reset()
    return lag
  }

  async function stop(keep: boolean): Promise<void> {
    if (ended) return
    ended = true
    try {
      if (opening !== undefined) {
        const { link, vrrp } = await opening
        vrrp.stop({ keep })
        await link.settled()
        link.close()
      }
      end(0)
    } catch (error) {
      logger.error('vrrp.stop', `cannot stop as it should be: ${describeError(error)}`)
      end(1)
    } finally {
      delays.disable()
    }
  }

  return {
    hear(received) {
      const message = readToVrrp(received)
      if (message === undefined) logger.warn('vrrp.message', 'the director said something that is no message')
      else obey(message)
    },
    stop: () => stop(false),
  }
}

export interface VrrpServant {
  /** A message of the director. */
  hear(message: unknown): void
  /** Gives everything up and ends, as when asked to. */
  stop(): Promise<void>
}

/** Why it was refused, if it was. */
function carryOut(vrrp: Vrrp, command: VrrpCommand, name: string): string | undefined {
  try {
    vrrp[command](name)
    return undefined
  } catch (error) {
    return describeError(error)
  }
}
