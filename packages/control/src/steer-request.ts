import { duration, flag, member, oneOf, optional, text, weight } from './members.ts'
import type { SteerRequest } from './model.ts'

/** Everything a request to steer may have; which of it counts depends on the action. */
export const steerMembers = [
  'action',
  'service',
  'server',
  'host',
  'on',
  'weight',
  'force',
  'deadline',
  'like',
  'text',
  'drain',
] as const

const actions = oneOf(
  'weight',
  'force',
  'disable',
  'enable',
  'drain',
  'maintenance',
  'add',
  'remove',
  'add-service',
  'remove-service',
  'reset',
)

/** Reads the body of `POST /v1/steer`. Throws an HttpProblem 400 that names the member that is wrong. */
export function readSteerRequest(body: Readonly<Record<string, unknown>>): SteerRequest {
  const action = member(body['action'], actions, 'action')
  const target = () => ({
    service: optional(body['service'], text, 'service'),
    server: member(body['server'], text, 'server'),
  })
  const deadline = () => optional(body['deadline'], duration, 'deadline')
  switch (action) {
    case 'weight':
      return { action, ...target(), weight: member(body['weight'], weight, 'weight') }
    case 'force':
      return { action, ...target(), force: member(body['force'], oneOf('up', 'down'), 'force') }
    case 'disable':
    case 'enable':
    case 'remove':
      return { action, ...target() }
    case 'drain':
      return { action, ...target(), deadline: deadline() }
    case 'maintenance':
      return {
        action,
        host: member(body['host'], text, 'host'),
        on: optional(body['on'], flag, 'on') ?? true,
        deadline: deadline(),
      }
    case 'add':
      return {
        action,
        service: member(body['service'], text, 'service'),
        server: member(body['server'], text, 'server'),
        weight: optional(body['weight'], weight, 'weight'),
        like: optional(body['like'], text, 'like'),
      }
    case 'add-service':
      return { action, text: member(body['text'], text, 'text') }
    case 'remove-service':
      return {
        action,
        service: member(body['service'], text, 'service'),
        drain: optional(body['drain'], flag, 'drain'),
        deadline: deadline(),
      }
    case 'reset':
      return {
        action,
        service: optional(body['service'], text, 'service'),
        server: optional(body['server'], text, 'server'),
      }
  }
}
