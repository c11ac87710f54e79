import { seconds, type Millis } from '@ipvs-director/core'

/** What a client of the control socket may use up. Whoever asks for more is refused or disconnected, with a word. */
export interface ControlLimits {
  /** Connections at once; further ones are closed at once. */
  readonly connections: number
  /** Readers of events at once; further ones get 503. */
  readonly eventReaders: number
  /** Status and metrics answers being written at once (each holds a snapshot); further ones get 503. */
  readonly bulkAnswers: number
  /** Bytes of a request's body. */
  readonly bodyBytes: number
  /** Bytes of a request's line and headers. */
  readonly headerBytes: number
  /** Time to receive a whole request, from the connection's opening or the previous answer. */
  readonly requestTime: Millis
  /** Time a client may leave written bytes unread before it is disconnected. */
  readonly stallTime: Millis
  /** Time a connection may stay open between two requests. */
  readonly idleTime: Millis
  /** Events kept for a reader that is slower than what happens; with one more it is disconnected. */
  readonly eventBacklog: number
  /** Between two comments on a silent stream of events, so that proxies and people see it living. */
  readonly heartbeat: Millis
}

export const defaultLimits: ControlLimits = {
  connections: 64,
  eventReaders: 16,
  bulkAnswers: 8,
  bodyBytes: 64 * 1024,
  headerBytes: 8 * 1024,
  requestTime: seconds(10),
  stallTime: seconds(10),
  idleTime: seconds(5),
  eventBacklog: 1000,
  heartbeat: seconds(15),
}
