import { request as httpRequest, type IncomingMessage } from 'node:http'
import { formatDuration, seconds, type Millis } from '@ipvs-director/core'
import { ControlError, explain } from './control-error.ts'
import type {
  DriftReport,
  Event,
  Plan,
  Problem,
  ReloadResult,
  Status,
  SteerAnswer,
  SteerRequest,
  Version,
  VrrpCommand,
} from './model.ts'
import { readEvents } from './event-reader.ts'

export interface ControlClientOptions {
  readonly path: string
  /** Time until the answer begins, and between two of its parts; default 10 s. Reload and audit wait a minute. */
  readonly timeout?: Millis
  readonly signal?: AbortSignal
}

/** The control API, one method per endpoint. Every method throws a ControlError. */
export interface ControlClient {
  status(services?: readonly string[]): Promise<Status>
  version(): Promise<Version>
  /** A refused reload is an answer (`ok: false`), not an error. `confirmWithin`: milliseconds. */
  reload(options?: { readonly confirmWithin?: number | undefined }): Promise<ReloadResult>
  confirm(): Promise<void>
  /** A file that cannot be used is an answer (`ok: false`). The director reads it: the path must mean the same to it. */
  plan(file: string | undefined): Promise<Plan>
  /** A text that cannot be used is an answer (`ok: false`); whatever else cannot be is an error. */
  steer(request: SteerRequest): Promise<SteerAnswer>
  vrrp(command: VrrpCommand, instance: string): Promise<void>
  restartProber(name: string): Promise<void>
  drift(): Promise<DriftReport>
  audit(): Promise<DriftReport>
  stop(options: { readonly keep: boolean }): Promise<void>
  /** Events above `after`; ends after those remembered unless `follow`, or when the director stops. */
  events(options: { readonly after?: number; readonly follow: boolean }): AsyncGenerator<Event, void, undefined>
  /** Any endpoint that answers with text, for example `GET /metrics`. */
  text(path: string): Promise<string>
}

/** A client of the control socket at `path`; connects anew for every request. */
export function controlClient(options: ControlClientOptions): ControlClient {
  const patient = { ...options, timeout: options.timeout ?? seconds(60) }
  const quick = { ...options, timeout: options.timeout ?? seconds(10) }
  return {
    status: (services = []) => {
      const query = services.map((name) => `service=${encodeURIComponent(name)}`).join('&')
      return json<Status>(quick, 'GET', query === '' ? '/v1/status' : `/v1/status?${query}`)
    },
    version: () => json<Version>(quick, 'GET', '/v1/version'),
    reload: (body = {}) => json<ReloadResult>(patient, 'POST', '/v1/reload', { body, accept: [422] }),
    confirm: async () => {
      await json(quick, 'POST', '/v1/confirm')
    },
    plan: (file) => json<Plan>(patient, 'POST', '/v1/plan', { body: { file }, accept: [422] }),
    steer: (body) => json<SteerAnswer>(patient, 'POST', '/v1/steer', { body, accept: [422] }),
    vrrp: async (command, instance) => {
      await json(quick, 'POST', '/v1/vrrp', { body: { command, instance } })
    },
    restartProber: async (restart) => {
      await json(quick, 'POST', '/v1/probers', { body: { restart } })
    },
    drift: () => json<DriftReport>(quick, 'GET', '/v1/audit'),
    audit: () => json<DriftReport>(patient, 'POST', '/v1/audit'),
    stop: async ({ keep }) => {
      await json(quick, 'POST', '/v1/stop', { body: { keep } })
    },
    events: async function* ({ after = 0, follow }) {
      const path = `/v1/events?after=${after}&follow=${follow}`
      yield* readEvents(await open(quick, 'GET', path, { headers: { accept: 'application/x-ndjson' } }), options.path)
    },
    text: async (path) => readAll(await open(quick, 'GET', path, {}), quick),
  }
}

interface Asking {
  readonly path: string
  readonly timeout: Millis
  readonly signal?: AbortSignal
}

interface Details {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** HTTP statuses that carry a proper answer beside 2xx. */
  readonly accept?: readonly number[]
}

async function json<T>(asking: Asking, method: string, path: string, details: Details = {}): Promise<T> {
  const text = await readAll(await open(asking, method, path, details), asking)
  return parse(text, asking.path) as T
}

/** Sends a request and gives its answer once the headers are there. Throws a ControlError for a refusal. */
function open(asking: Asking, method: string, path: string, details: Details): Promise<IncomingMessage> {
  const body = details.body === undefined ? undefined : JSON.stringify(details.body)
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath: asking.path,
      method,
      path,
      agent: false,
      headers: { host: 'director', connection: 'close', ...details.headers },
      ...(asking.signal === undefined ? {} : { signal: asking.signal }),
    })
    const late = setTimeout(() => {
      request.destroy(timedOut(asking))
    }, asking.timeout)
    request.once('error', (error) => {
      clearTimeout(late)
      reject(explain(error, asking.path))
    })
    request.once('response', (response) => {
      clearTimeout(late)
      const status = response.statusCode ?? 0
      if ((status >= 200 && status < 300) || details.accept?.includes(status) === true) resolve(response)
      else refusal(response, asking).then(reject, reject)
    })
    request.end(body)
  })
}

async function readAll(response: IncomingMessage, asking: Asking): Promise<string> {
  response.setEncoding('utf8')
  response.setTimeout(asking.timeout, () => {
    response.destroy(timedOut(asking))
  })
  let text = ''
  try {
    for await (const part of response as AsyncIterable<string>) text += part
  } catch (error) {
    throw explain(error, asking.path)
  }
  return text
}

async function refusal(response: IncomingMessage, asking: Asking): Promise<ControlError> {
  const status = response.statusCode ?? 0
  const { error } = parse(await readAll(response, asking), asking.path) as Partial<Problem>
  return new ControlError(status === 403 ? 'denied' : 'refused', error?.message ?? `the director answered ${status}`, {
    status,
    ...(error === undefined ? {} : { code: error.code }),
    suggestions: error?.suggestions ?? [],
  })
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new ControlError('broken', `what listens on ${path} does not answer as a director does`, { cause })
  }
}

function timedOut({ path, timeout }: Asking): ControlError {
  return new ControlError('timeout', `the director on ${path} did not answer within ${formatDuration(timeout)}`)
}
