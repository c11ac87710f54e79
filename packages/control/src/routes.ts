import type { IncomingMessage, ServerResponse } from 'node:http'
import { describeError, type Logger } from '@ipvs-director/core'
import { answerJson, answerPieces } from './answer.ts'
import { streamEvents, type EventStream } from './event-stream.ts'
import type { ControlLimits } from './limits.ts'
import { metricsContentTypes, metricsFormat, renderMetrics } from './metrics.ts'
import type { ControlHandlers } from './model.ts'
import { changesPieces, statusPieces } from './pieces.ts'
import { HttpProblem } from './problem.ts'
import { duration, member, oneOf, optional, text } from './members.ts'
import { readBody } from './request-body.ts'
import { controlSchema } from './schema.ts'
import { selectServices } from './select.ts'
import { readSteerRequest, steerMembers } from './steer-request.ts'

/** What a request may do: `read` looks, `write` also changes. */
export type Access = 'read' | 'write'

/** One request on its way to its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
}

/** One endpoint, declared once: the server serves it, `GET /` and docs/control-api.md list it. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly access: Access
  readonly query: readonly string[]
  readonly doc: string
  answer(exchange: Exchange): Promise<void>
}

/** The running server as the routes see it. */
export interface RouteContext {
  readonly handlers: ControlHandlers
  readonly limits: ControlLimits
  readonly logger: Logger
  /** Streams of events that are open. */
  readonly streams: Set<EventStream>
}

/** Names that are suggested at most. */
const mostCandidates = 10

/** All endpoints of the control socket. */
export function controlRoutes(context: RouteContext): Route[] {
  const { handlers, limits } = context
  const status = shared(() => handlers.status())
  const bulk = gate(limits.bulkAnswers, 'answers of this size are being written')

  return [
    {
      method: 'GET',
      path: '/v1/status',
      access: 'read',
      query: ['service'],
      doc: 'Everything there is to see; ?service=NAME only that virtual server (may be repeated).',
      answer: ({ response, query }) =>
        bulk(async () => {
          const selected = selectServices(await status(), query.getAll('service'))
          await answerPieces(response, 'application/json', statusPieces(selected), limits)
        }),
    },
    {
      method: 'GET',
      path: '/v1/events',
      access: 'read',
      query: ['after', 'follow'],
      doc: 'Server-sent events, or JSON lines for Accept: application/x-ndjson; ?after=N, ?follow=false.',
      answer: (exchange) => {
        answerEvents(context, exchange)
        return Promise.resolve()
      },
    },
    {
      method: 'GET',
      path: '/v1/version',
      access: 'read',
      query: [],
      doc: 'Which program answers.',
      answer: ({ response }) => {
        answerJson(response, 200, handlers.version(), limits)
        return Promise.resolve()
      },
    },
    {
      method: 'GET',
      path: '/v1/schema',
      access: 'read',
      query: [],
      doc: 'JSON Schema of these replies.',
      answer: ({ response }) => {
        answerJson(response, 200, controlSchema, limits)
        return Promise.resolve()
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      access: 'read',
      query: [],
      doc: 'OpenMetrics, or the Prometheus text format, as Accept asks.',
      answer: ({ request, response }) =>
        bulk(async () => {
          const format = metricsFormat(request.headers.accept)
          await answerPieces(response, metricsContentTypes[format], renderMetrics(await status(), format), limits)
        }),
    },
    {
      method: 'GET',
      path: '/v1/audit',
      access: 'read',
      query: [],
      doc: 'What the last audit of the kernel found.',
      answer: async ({ response }) => {
        if (handlers.drift === undefined) {
          throw new HttpProblem(501, 'not-supported', 'this director keeps no report of its audits: POST makes one')
        }
        answerJson(response, 200, await handlers.drift(), limits)
      },
    },
    {
      method: 'POST',
      path: '/v1/audit',
      access: 'write',
      query: [],
      doc: 'Audits the kernel now, repairs, and tells what was found.',
      answer: async ({ request, response }) => {
        await readBody(request, limits, [])
        answerJson(response, 200, await handlers.audit(), limits)
      },
    },
    {
      method: 'POST',
      path: '/v1/reload',
      access: 'write',
      query: [],
      doc: 'Reads the configuration again; 422 when it was refused. {"confirmWithin": MS}: rolled back unless confirmed.',
      answer: async ({ request, response }) => {
        const { confirmWithin } = await readBody(request, limits, ['confirmWithin'])
        const result = await handlers.reload({ confirmWithin: optional(confirmWithin, duration, 'confirmWithin') })
        await answerPieces(response, 'application/json', changesPieces(result), limits, result.ok ? 200 : 422)
      },
    },
    {
      method: 'POST',
      path: '/v1/confirm',
      access: 'write',
      query: [],
      doc: 'Keeps a configuration that was reloaded on trial; 409 when none is on trial.',
      answer: async ({ request, response }) => {
        await readBody(request, limits, [])
        if (!handlers.confirm()) throw new HttpProblem(409, 'nothing-on-trial', 'no reload waits to be confirmed')
        answerJson(response, 200, { confirmed: true }, limits)
      },
    },
    {
      method: 'POST',
      path: '/v1/plan',
      access: 'write',
      query: [],
      doc: 'What a reload would change, nothing being changed; {"file": PATH} of another file.',
      answer: async ({ request, response }) => {
        const { file } = await readBody(request, limits, ['file'])
        const plan = await handlers.plan(optional(file, text, 'file'))
        await answerPieces(response, 'application/json', changesPieces(plan), limits, plan.ok ? 200 : 422)
      },
    },
    {
      method: 'POST',
      path: '/v1/steer',
      access: 'write',
      query: [],
      doc: 'Drains, disables, weighs, adds, removes real and virtual servers over the file; see below.',
      answer: async ({ request, response }) => {
        const answer = await handlers.steer(readSteerRequest(await readBody(request, limits, steerMembers)))
        if (answer.ok) answerJson(response, 200, answer, limits)
        else if (answer.diagnostics !== undefined) answerJson(response, 422, answer, limits)
        else {
          const suggestions = answer.candidates.slice(0, mostCandidates)
          throw new HttpProblem(404, 'no-such-server', answer.problem, { suggestions })
        }
      },
    },
    {
      method: 'POST',
      path: '/v1/vrrp',
      access: 'write',
      query: [],
      doc: 'Switch-over by hand: {"command": "move" | "hold" | "release", "instance": NAME}.',
      answer: async ({ request, response }) => {
        const body = await readBody(request, limits, ['command', 'instance'])
        const command = member(body['command'], oneOf('move', 'hold', 'release'), 'command')
        const instance = member(body['instance'], text, 'instance')
        try {
          await handlers.vrrp(command, instance)
        } catch (error) {
          if (error instanceof RangeError) throw new HttpProblem(404, 'no-such-instance', error.message)
          // The process of VRRP is being started, or hangs and is about to be: the same may work in a moment.
          throw new HttpProblem(503, 'vrrp-unavailable', describeError(error))
        }
        answerJson(response, 200, { command, instance }, limits)
      },
    },
    {
      method: 'POST',
      path: '/v1/probers',
      access: 'write',
      query: [],
      doc: 'Starts a process that probes anew: {"restart": NAME}.',
      answer: async ({ request, response }) => {
        const body = await readBody(request, limits, ['restart'])
        const restart = member(body['restart'], text, 'restart')
        try {
          await handlers.restartProber(restart)
        } catch (error) {
          if (error instanceof RangeError) throw new HttpProblem(404, 'no-such-prober', error.message)
          throw error
        }
        answerJson(response, 200, { restart }, limits)
      },
    },
    {
      method: 'POST',
      path: '/v1/stop',
      access: 'write',
      query: [],
      doc: 'Ends the director; {"keep": true} leaves the kernel\'s table as it is.',
      answer: async ({ request, response }) => {
        const { keep = false } = await readBody(request, limits, ['keep'])
        if (typeof keep !== 'boolean') throw new HttpProblem(400, 'bad-request', '"keep" is true or false')
        response.once('close', () => {
          handlers.stop({ keep })
        })
        answerJson(response, 202, { stopping: true, keep }, limits, { connection: 'close' })
      },
    },
  ]
}

/** `?after=N`, or the Last-Event-ID a browser's EventSource sends when it connects again. */
function answerEvents(context: RouteContext, { request, response, query }: Exchange): void {
  const { handlers, limits, logger, streams } = context
  const after = query.get('after') ?? request.headers['last-event-id'] ?? '0'
  if (typeof after !== 'string' || !/^\d{1,15}$/.test(after)) {
    throw new HttpProblem(400, 'bad-request', '"after" is the sequence of an event, a whole number')
  }
  const follow = query.get('follow') ?? 'true'
  if (follow !== 'true' && follow !== 'false') throw new HttpProblem(400, 'bad-request', '"follow" is true or false')
  if (streams.size >= limits.eventReaders) {
    throw new HttpProblem(503, 'busy', `${limits.eventReaders} readers of events are connected already`)
  }
  const stream = streamEvents(response, {
    format: (request.headers.accept ?? '').includes('application/x-ndjson') ? 'ndjson' : 'sse',
    after: Number(after),
    follow: follow === 'true',
    subscribe: (from, listener) => handlers.subscribe(from, listener),
    limits,
    onDropped: () => {
      logger.warn('control.events.dropped', 'disconnected a reader of events that was too slow')
    },
  })
  streams.add(stream)
  response.once('close', () => {
    streams.delete(stream)
  })
}

/** Callers while one call is under way share its answer: many status requests at once cost one snapshot. */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined
  return () => {
    pending ??= make().finally(() => {
      pending = undefined
    })
    return pending
  }
}

/** Lets `most` run at once; one more is answered 503. */
function gate(most: number, what: string): (work: () => Promise<void>) => Promise<void> {
  let running = 0
  return async (work) => {
    if (running >= most) throw new HttpProblem(503, 'busy', `${most} ${what} already; try again`)
    running++
    try {
      await work()
    } finally {
      running--
    }
  }
}
