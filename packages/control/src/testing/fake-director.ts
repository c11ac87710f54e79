import type { ControlHandlers, DriftReport, Event, Status, SteerAnswer } from '../model.ts'
import { driftReport, reloadResult, status } from './fixtures.ts'

/** Handlers that answer what they are told to and remember what they were asked. */
export interface FakeDirector extends ControlHandlers {
  version: ControlHandlers['version']
  status: () => Promise<Status>
  reload: ControlHandlers['reload']
  confirm: ControlHandlers['confirm']
  steer: ControlHandlers['steer']
  vrrp: ControlHandlers['vrrp']
  restartProber: ControlHandlers['restartProber']
  audit: () => Promise<DriftReport>
  drift: () => Promise<DriftReport>
  /** Names of the handlers called, in order; `stop` with its option. */
  readonly calls: string[]
  /** Remembered events; further ones by `emit`. */
  readonly events: Event[]
  /** Tells every subscriber, and remembers. */
  emit(event: Event): void
  subscribers(): number
}

const steered = (): SteerAnswer => ({ ok: true, changes: ['10.0.0.2:80 of 192.0.2.1:80/tcp: draining'] })

export function fakeDirector(): FakeDirector {
  const calls: string[] = []
  const events: Event[] = []
  const listeners = new Set<(event: Event) => void>()
  const asked = <T>(name: string, answer: () => T): Promise<T> => {
    calls.push(name)
    return Promise.resolve(answer())
  }
  return {
    calls,
    events,
    version: () => {
      calls.push('version')
      const { schema, version, pid, startedAt } = status()
      return { schema, version, pid, startedAt }
    },
    status: () => asked('status', status),
    reload: () => asked('reload', reloadResult),
    confirm: () => (calls.push('confirm'), true),
    plan: (file) =>
      asked('plan', () => ({
        ok: true,
        file: file ?? 'keepalived.conf',
        diagnostics: [],
        changes: ['add 10.0.0.9:80'],
      })),
    steer: (request) => asked(`steer ${JSON.stringify(request)}`, steered),
    vrrp: (command, name) => asked(`vrrp ${command} ${name}`, () => undefined),
    restartProber: (name) => asked(`restart ${name}`, () => undefined),
    audit: () => asked('audit', driftReport),
    drift: () => asked('drift', () => driftReport({ found: [] })),
    stop: ({ keep }) => void calls.push(keep ? 'stop keep' : 'stop'),
    subscribe: (after, listener) => {
      for (const event of events) if (event.sequence > after) listener(event)
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    emit: (event) => {
      events.push(event)
      for (const listener of listeners) listener(event)
    },
    subscribers: () => listeners.size,
  }
}
