import type { AlarmSettings, Config, NotifyFifo, Script } from '@ipvs-director/config'
import { millis, type Clock, type Logger } from '@ipvs-director/core'
import { hostname } from 'node:os'
import type { Alarm } from './alarm.ts'
import { openFifo, type Fifo } from './fifo.ts'
import { createMailer, type Post } from './mail.ts'
import type { Outbox, OutboxFigures } from './outbox.ts'
import { createWebhook, webhookEventOf, type WebhookEvent } from './webhook.ts'
import { fifoLinesOf, letterOf, type Letter } from './words.ts'

/** Mail, webhooks and notify FIFOs of the running configuration. */
export interface Alarms {
  /** Begins with a configuration, or goes on with a changed one: what waits for an unchanged receiver goes on waiting. */
  apply(config: Config): void
  /** Something happened. Never throws, never waits. */
  tell(alarm: Alarm): void
  figures(): AlarmFigures
  /** Delivers what waits, for at most `limit` milliseconds, and closes. */
  stop(limit: number): Promise<void>
}

export interface AlarmFigures {
  readonly mail: OutboxFigures | undefined
  readonly webhooks: readonly OutboxFigures[]
  readonly fifos: readonly { readonly path: string; readonly lost: number }[]
}

export interface AlarmsOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Runs a FIFO's script with `path` appended until the signal, by the rules for scripts; says how it ended. */
  readonly runFifoScript: (script: Script, path: string, signal: AbortSignal) => Promise<string>
  /** How mail is handed over; absent: by nodemailer. */
  readonly post?: Post
}

/** Something made from settings, remade only when they change. */
interface Made<T> {
  readonly settings: string
  readonly value: T
}

/** Events whose richer form comes as an alarm of its own. */
const toldOtherwise = /^(?:server|quorum|vrrp|service)\./

export function createAlarms({ clock, logger, runFifoScript, post }: AlarmsOptions): Alarms {
  let services: Config['virtualServers'] = []
  let general = false
  let mailer: Made<Outbox<Letter>> | undefined
  let webhooks: readonly Made<Outbox<WebhookEvent>>[] = []
  let fifos: readonly (Made<Fifo> & { readonly path: string })[] = []
  /** What is on its way out: receivers that a reload removed, FIFOs that close. */
  const leaving = new Set<Promise<void>>()

  const leave = (work: Promise<void>): Promise<void> => {
    const done = work.finally(() => leaving.delete(done))
    leaving.add(done)
    return done
  }

  /** The same value while the settings are equal. */
  const keepOrMake = <T>(before: Made<T> | undefined, settings: unknown, make: () => T): Made<T> => {
    const text = JSON.stringify(settings)
    return before?.settings === text ? before : { settings: text, value: make() }
  }

  const openOne = (fifo: NotifyFifo): Fifo =>
    openFifo({
      fifo,
      logger,
      runScript: (path, signal) =>
        fifo.script === undefined ? Promise.resolve('') : runFifoScript(fifo.script, path, signal),
    })

  function applySettings({ mail, webhooks: hooks, fifos: pipes }: AlarmSettings, router: string): void {
    const before = { mailer, webhooks, fifos }
    mailer =
      mail && keepOrMake(mailer, [mail, router], () => createMailer(mail, router, { clock, logger, ...(post && { post }) })) // prettier-ignore
    webhooks = hooks.map((hook) => {
      const known = before.webhooks.find(({ settings }) => settings === JSON.stringify([hook, router]))
      return keepOrMake(known, [hook, router], () => createWebhook(hook, router, { clock, logger }))
    })
    const gone = [before.mailer, ...before.webhooks].filter((each) => each !== mailer && !webhooks.some((kept) => kept === each)) // prettier-ignore
    for (const each of gone) if (each !== undefined) void leave(each.value.finish(millis(5000)))
    useFifos(pipes, before.fifos)
  }

  /** A path that stays but changes is opened again only after the old one has closed: it may be removed with it. */
  function useFifos(pipes: readonly NotifyFifo[], before: typeof fifos): void {
    const kept = (pipe: NotifyFifo) => before.find(({ settings }) => settings === JSON.stringify(pipe))
    const closing = before
      .filter(({ settings }) => !pipes.some((pipe) => JSON.stringify(pipe) === settings))
      .map(({ value }) => leave(value.close()))
    fifos = pipes.flatMap((pipe) => kept(pipe) ?? [])
    const missing = pipes.filter((pipe) => kept(pipe) === undefined)
    const openMissing = (): void => {
      fifos = [...fifos, ...missing.map((pipe) => ({ ...keepOrMake<Fifo>(undefined, pipe, () => openOne(pipe)), path: pipe.path }))] // prettier-ignore
    }
    if (closing.length === 0) openMissing()
    else void leave(Promise.all(closing).then(openMissing))
  }

  return {
    apply({ globals, virtualServers }) {
      services = virtualServers
      general = globals.alarms?.mail?.general ?? false
      const nothing: AlarmSettings = { mail: undefined, webhooks: [], fifos: [] }
      applySettings(globals.alarms ?? nothing, globals.routerId ?? hostname())
    },
    tell(alarm) {
      if (alarm.kind === 'event' && toldOtherwise.test(alarm.event.event)) return
      if (fifos.length > 0) {
        for (const { family, text } of fifoLinesOf(alarm, services)) {
          for (const { value } of fifos) if (value.events === 'all' || value.events === family) value.write(text)
        }
      }
      const letter = mailer === undefined ? undefined : letterOf(alarm, services, general)
      if (letter !== undefined) mailer?.value.add(letter)
      if (webhooks.length > 0) {
        const event = webhookEventOf(alarm)
        if (event !== undefined) for (const { value } of webhooks) value.add(event)
      }
    },
    figures: () => ({
      mail: mailer?.value.figures,
      webhooks: webhooks.map(({ value }) => value.figures),
      fifos: fifos.map(({ path, value }) => ({ path, lost: value.lost })),
    }),
    async stop(limit) {
      await Promise.all([
        mailer?.value.finish(millis(limit)),
        ...webhooks.map(({ value }) => value.finish(millis(limit))),
        ...fifos.map(({ value }) => value.close()),
        ...leaving,
      ])
    },
  }
}
