import { describeError, millis, systemClock } from '@ipvs-director/core'
import { openAlarm } from '@ipvs-director/linux'
import type { Report } from '../checker.ts'
import { checkers } from '../checkers.ts'
import { createEngine, type Engine } from '../engine.ts'
import { createNodeIo } from '../io/node-io.ts'
import type { ProbeIo } from '../io/port.ts'
import { meansHere, ownDescriptors } from '../limits.ts'
import { protocolVersion, readToProber, type FromProber, type ToProber } from './messages.ts'
import { dropPrivileges } from './privileges.ts'

/** Where messages go to and come from: the channel that child_process.fork made. */
export interface Channel {
  send(message: FromProber): void
}

/** The prober's side of the protocol: an engine that does as it is told. Answers the listener for messages. */
export function serveProber(channel: Channel, exit: (code: number) => void): (message: unknown) => void {
  let engine: Engine | undefined
  let material: ReadonlyMap<string, string> = new Map()
  let io: ProbeIo | undefined
  let reports: Report[] = []

  function report(one: Report): void {
    reports.push(one)
    if (reports.length === 1) setImmediate(flush)
  }

  function flush(): void {
    channel.send({ say: 'reports', reports })
    reports = []
  }

  function trouble(message: string): void {
    channel.send({ say: 'trouble', message })
  }

  async function setup(message: ToProber & { readonly do: 'setup' }): Promise<void> {
    if (message.version !== protocolVersion) {
      trouble(`this prober speaks version ${protocolVersion}, the director ${message.version}: are they of one build?`)
      exit(1)
      return
    }
    try {
      dropPrivileges(message.identity, message.needs.capabilities).forEach(trouble)
    } catch (error) {
      trouble(`a prober cannot start: ${describeError(error)}`)
      exit(1)
      return
    }
    io = createNodeIo({ readMaterial: (path) => material.get(path) ?? missing(path) })
    engine = createEngine({
      clock: systemClock,
      alarm: openAlarm,
      random: Math.random,
      io,
      checkers: checkers.filter((checker) => !checker.local),
      events: { report, trouble },
      limit: probesAtOnce(),
      ...(message.firstWait === undefined ? {} : { firstWait: millis(message.firstWait) }),
    })
    channel.send({ say: 'ready', version: protocolVersion })
  }

  async function tellFigures(running: Engine, ask: number, ids: readonly string[]): Promise<void> {
    channel.send({ say: 'figures', ask, figures: await running.figures(ids) })
  }

  return (received) => {
    const message = readToProber(received)
    if (message === undefined) return
    if (message.do === 'setup') {
      void setup(message)
      return
    }
    if (engine === undefined) return
    switch (message.do) {
      case 'material':
        material = message.files
        io?.forgetMaterial()
        break
      case 'add':
        engine.add(message.checks)
        break
      case 'remove':
        engine.remove(message.ids)
        break
      case 'figures':
        void tellFigures(engine, message.ask, message.ids)
        break
      case 'ping':
        channel.send({ say: 'pong', ask: message.ask })
        break
      case 'stop':
        void engine.stop().then(() => {
          exit(0)
        })
        break
    }
  }
}

function missing(path: string): never {
  throw new Error(`${path} was not handed over by the director`)
}

/** What the limit of descriptors allows, less some for everything else. */
const probesAtOnce = (): number => Math.max(16, Math.min(20_000, meansHere(1).descriptors - ownDescriptors))
