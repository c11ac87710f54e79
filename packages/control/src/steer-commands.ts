import type { CommandModule } from 'yargs'
import type { SteerRequest } from './model.ts'

/** What the commands have in common beside the request. */
export interface SteerWords {
  readonly json: boolean
  readonly wait: boolean
  readonly socket: unknown
}

type Chosen = (request: SteerRequest, words: SteerWords) => void

/** The commands that ask something of real servers at run time. */
export function steerCommands(choose: Chosen): CommandModule[] {
  const json = { type: 'boolean', default: false, describe: 'For programs: JSON' } as const
  const server = { type: 'string', demandOption: true, describe: 'A real server: 10.0.0.2:80' } as const
  const service = { type: 'string', describe: 'A virtual server; else every one that has it' } as const
  const deadline = {
    type: 'string',
    requiresArg: true,
    coerce: readDuration,
    describe: 'Out after that time whatever is left (90s, 5min)',
  } as const
  const wait = { type: 'boolean', default: false, describe: 'Wait until it is out, and tell how far it is' } as const

  /** A command about one real server. */
  const aboutServer = (
    name: string,
    describe: string,
    request: (target: { service: string | undefined; server: string }) => SteerRequest,
  ): CommandModule => ({
    command: `${name} <server> [service]`,
    describe,
    builder: (y) => y.positional('server', server).positional('service', service).option('json', json),
    handler: (a) => {
      choose(request(targetOf(a)), { json: a['json'] === true, wait: false, socket: a['socket'] })
    },
  })

  return [
    {
      command: 'drain <server> [service]',
      describe: 'Take a real server out: weight 0, then out when its connections have ended',
      builder: (y) => y.positional('server', server).positional('service', service).options({ deadline, wait, json }),
      handler: (a) => {
        const request = { action: 'drain', ...targetOf(a), deadline: number(a['deadline']) } as const
        choose(request, { json: a['json'] === true, wait: a['wait'] === true, socket: a['socket'] })
      },
    },
    aboutServer('disable', 'Weight 0 for a real server, as long as you like', (target) => ({
      action: 'disable',
      ...target,
    })),
    aboutServer('enable', 'Put a drained or disabled real server back', (target) => ({ action: 'enable', ...target })),
    {
      command: 'weight <server> <weight> [service]',
      describe: 'Another weight than the configured one',
      builder: (y) =>
        y
          .positional('server', server)
          .positional('weight', { type: 'number', demandOption: true, describe: '0 or more' })
          .positional('service', service)
          .option('json', json),
      handler: (a) => {
        const request = { action: 'weight', ...targetOf(a), weight: Number(a['weight']) } as const
        choose(request, { json: a['json'] === true, wait: false, socket: a['socket'] })
      },
    },
    {
      command: 'force <state> <server> [service]',
      describe: 'Believe a real server up or down, whatever its checks say',
      builder: (y) =>
        y
          .positional('state', { choices: ['up', 'down'] as const, demandOption: true, describe: 'What to believe' })
          .positional('server', server)
          .positional('service', service)
          .option('json', json),
      handler: (a) => {
        const force = a['state'] === 'up' ? 'up' : 'down'
        choose(
          { action: 'force', ...targetOf(a), force },
          { json: a['json'] === true, wait: false, socket: a['socket'] },
        )
      },
    },
    {
      command: 'maintenance <host>',
      describe: 'Drain a host in every virtual server; --off puts it back',
      builder: (y) =>
        y
          .positional('host', { type: 'string', demandOption: true, describe: 'The address of its real servers' })
          .option('off', { type: 'boolean', default: false, describe: 'Put it back' })
          .options({ deadline, wait, json }),
      handler: (a) => {
        const on = a['off'] !== true
        const request = { action: 'maintenance', host: String(a['host']), on, deadline: number(a['deadline']) } as const
        choose(request, { json: a['json'] === true, wait: on && a['wait'] === true, socket: a['socket'] })
      },
    },
    {
      command: 'add <service> <server>',
      describe: 'A further real server, until the next reset',
      builder: (y) =>
        y
          .positional('service', { type: 'string', demandOption: true, describe: 'A virtual server' })
          .positional('server', server)
          .option('weight', { type: 'number', requiresArg: true, describe: 'Its weight' })
          .option('like', {
            type: 'string',
            requiresArg: true,
            describe: 'The real server whose settings it gets (else the first)',
          })
          .option('json', json),
      handler: (a) => {
        const request = {
          action: 'add',
          service: String(a['service']),
          server: String(a['server']),
          weight: number(a['weight']),
          like: word(a['like']),
        } as const
        choose(request, { json: a['json'] === true, wait: false, socket: a['socket'] })
      },
    },
    aboutServer('remove', 'Leave a real server out at once, until the next reset', (target) => ({
      action: 'remove',
      ...target,
    })),
    {
      command: 'remove-service <service>',
      describe: 'Leave a virtual server out, until the next reset',
      builder: (y) =>
        y
          .positional('service', { type: 'string', demandOption: true, describe: 'A virtual server' })
          .option('drain', {
            type: 'boolean',
            default: false,
            describe: 'Let the connections of its real servers end first',
          })
          .options({ deadline, wait, json }),
      handler: (a) => {
        const drain = a['drain'] === true || a['deadline'] !== undefined
        const target = { service: String(a['service']), drain, deadline: number(a['deadline']) }
        const words = { json: a['json'] === true, wait: drain && a['wait'] === true, socket: a['socket'] }
        choose({ action: 'remove-service', ...target }, words)
      },
    },
    {
      command: 'reset [what] [service]',
      describe: 'Forget what was asked for by hand: of a real server, of a virtual server, or of everything',
      builder: (y) =>
        y
          .positional('what', { type: 'string', describe: 'A real server, or a virtual server' })
          .positional('service', { type: 'string', describe: 'Only in this virtual server' })
          .option('json', json),
      handler: (a) => {
        const what = word(a['what'])
        // Names of virtual servers end with a protocol or family.
        const target = what?.includes('/') === true ? { service: what } : { server: what, service: word(a['service']) }
        choose({ action: 'reset', ...target }, { json: a['json'] === true, wait: false, socket: a['socket'] })
      },
    },
  ]
}

function targetOf(a: Readonly<Record<string, unknown>>): { service: string | undefined; server: string } {
  return { service: word(a['service']), server: String(a['server']) }
}

const word = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90`, `90s`, `1.5min`, `2h` as milliseconds; without a unit seconds. Throws an Error for anything else. */
export function readDuration(value: string): number {
  const [, figure = '', unit = 's'] = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/.exec(value) ?? []
  const factor = units[unit]
  if (figure === '' || factor === undefined || Number(figure) === 0) {
    throw new Error(`${JSON.stringify(value)} is not a time: wanted 90s, 5min, 2h`)
  }
  return Number(figure) * factor
}
