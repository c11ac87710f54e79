import { count, millis, type Millis } from '@ipvs-director/core'
import type { ControlClient } from '../client.ts'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Event } from '../model.ts'
import type { Tone } from '../paint.ts'
import { paragraph, preformatted, type Screen } from '../screen.ts'
import { printable } from '../text.ts'
import { outScreen, printLines, type CommandContext } from './context.ts'

export interface EventsOptions {
  readonly follow: boolean
  /** One JSON object per line. */
  readonly json: boolean
  /** Only events with a greater sequence. */
  readonly after: number
}

/** Between two attempts to reach a director that went away. */
const knock: Millis = millis(1000)

/** `ipvs-ctl events`: those remembered; with `--follow` also what happens, across restarts of the director. */
export async function runEvents(context: CommandContext, options: EventsOptions): Promise<ExitStatus> {
  const { client, tools } = context
  let last = options.after
  let connected = false
  let run: string | undefined
  while (!tools.interrupted.aborted) {
    try {
      const now = await runOf(client)
      if (run !== undefined && now !== run) last = 0
      run = now
      connected = true
      for await (const event of client.events({ after: last, follow: options.follow })) {
        if (last > 0 && event.sequence > last + 1) {
          const missed = count(event.sequence - last - 1, 'event is', 'events are')
          tools.stderr.write(`${missed} no longer remembered\n`)
        }
        last = event.sequence
        if (options.json) tools.stdout.write(`${JSON.stringify(event)}\n`)
        else printLines(context, eventLines(event, outScreen(context)))
      }
      if (!options.follow) return exitStatus.ok
      tools.stderr.write('the director ended; waiting for the next one\n')
    } catch (error) {
      if (isInterrupted(context)) break
      if (!connected || !options.follow || !(error instanceof ControlError) || error.kind === 'denied') throw error
      if (error.kind === 'refused') tools.stderr.write(`${error.message}\n`)
    }
    await pause(context, knock)
  }
  return exitStatus.ok
}

/** Which run of the director answers: sequences begin anew with each. */
async function runOf(client: ControlClient): Promise<string> {
  const { pid, startedAt } = await client.version()
  return `${pid}/${startedAt}`
}

function isInterrupted({ tools }: CommandContext): boolean {
  return tools.interrupted.aborted
}

function pause({ tools }: CommandContext, time: Millis): Promise<void> {
  return new Promise((resolve) => {
    if (tools.interrupted.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      timer.cancel()
      tools.interrupted.removeEventListener('abort', done)
      resolve()
    }
    const timer = tools.clock.after(time, done)
    tools.interrupted.addEventListener('abort', done, { once: true })
  })
}

/** One event for people: local time, then what happened; further lines (the excerpt of a diagnostic) as they are. */
export function eventLines(event: Event, screen: Screen): string[] {
  const indent = ' '.repeat(6)
  const tone = toneOf(event.event)
  const [first = '', ...excerpt] = (event.message === '' ? event.event : event.message).split('\n')
  const text = `${localTime(event.at)} ${printable(first)}`
  return [
    ...paragraph(screen, text, { ...(tone === undefined ? {} : { tone }), rest: indent }),
    ...excerpt.flatMap((line) => preformatted(screen, line, tone, indent)),
  ]
}

function toneOf(event: string): Tone | undefined {
  if (/\.(?:down|lost|refused|failed|dead)$/.test(event)) return 'bad'
  if (/\.(?:up|gained)$/.test(event)) return 'good'
  return event.startsWith('drift') ? 'warn' : undefined
}

/** With its zone: the log has UTC. */
function localTime(at: number): string {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${zoneOf(date)}`
}

/** RFC 3339: `+01:00`, and `Z` for UTC. */
function zoneOf(date: Date): string {
  const minutes = -date.getTimezoneOffset()
  if (minutes === 0) return 'Z'
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}
