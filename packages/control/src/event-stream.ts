import type { ServerResponse } from 'node:http'
import type { ControlLimits } from './limits.ts'
import type { ControlHandlers, Event, Problem } from './model.ts'

/** How events are written: server-sent events, or a JSON object per line. */
export type EventFormat = 'sse' | 'ndjson'

export interface EventStreamOptions {
  readonly format: EventFormat
  /** Only events with a greater sequence. */
  readonly after: number
  /** False: end after those remembered. */
  readonly follow: boolean
  readonly subscribe: ControlHandlers['subscribe']
  readonly limits: ControlLimits
  /** Called once, when a reader was disconnected because it was too slow. */
  readonly onDropped: () => void
}

/** A stream being written. */
export interface EventStream {
  /** Ends it in order, for example because the director stops. */
  end(): void
}

/**
 * Writes events to one reader. What it has not taken yet waits as references to the events; when more than
 * `limits.eventBacklog` new ones wait, it is unsubscribed, told so, and disconnected.
 */
export function streamEvents(response: ServerResponse, options: EventStreamOptions): EventStream {
  const { format, limits } = options
  let waiting: Event[] = []
  /** How many of those are history handed over at the subscription: shared with the director, so without a bound. */
  let replaying = true
  let history = 0
  let flowing = true
  let ending = false
  let doom: NodeJS.Timeout | undefined

  const flush = (): void => {
    let taken = 0
    while (flowing && taken < waiting.length) {
      const event = waiting[taken++]
      if (event !== undefined) flowing = response.write(renderEvent(event, format))
    }
    waiting = taken === waiting.length ? [] : waiting.slice(taken)
    history = Math.max(0, history - taken)
    if (ending && waiting.length === 0) response.end()
  }
  const drop = (): void => {
    const words = `disconnected: more than ${limits.eventBacklog} events were waiting to be read`
    finish()
    waiting = []
    response.end(renderProblem({ error: { code: 'too-slow', message: words } }, format))
    doom = setTimeout(() => {
      response.destroy()
    }, limits.stallTime)
    options.onDropped()
  }
  const take = (event: Event): void => {
    if (ending || event.sequence <= options.after) return
    waiting.push(event)
    if (replaying) history++
    else if (waiting.length - history > limits.eventBacklog) drop()
    else flush()
  }
  const finish = (): void => {
    ending = true
    unsubscribe()
    clearInterval(heartbeat)
  }

  response.writeHead(200, {
    'content-type': format === 'sse' ? 'text/event-stream' : 'application/x-ndjson',
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.flushHeaders()
  response.on('drain', () => {
    flowing = true
    flush()
  })
  response.once('close', () => {
    finish()
    clearTimeout(doom)
    waiting = []
  })
  const heartbeat = setInterval(() => {
    if (format === 'sse' && flowing) flowing = response.write(': still here\n\n')
  }, limits.heartbeat)
  const unsubscribe = options.subscribe(options.after, take)
  replaying = false
  const end = (): void => {
    finish()
    flush()
  }
  if (options.follow) flush()
  else end()
  return { end }
}

/** One event as it goes over the wire. JSON never holds a raw line end, so neither framing can be broken. */
export function renderEvent(event: Event, format: EventFormat): string {
  const data = JSON.stringify(event)
  return format === 'ndjson' ? `${data}\n` : `id: ${event.sequence}\nevent: ${event.event}\ndata: ${data}\n\n`
}

function renderProblem(problem: Problem, format: EventFormat): string {
  const data = JSON.stringify(problem)
  return format === 'ndjson' ? `${data}\n` : `event: error\ndata: ${data}\n\n`
}
