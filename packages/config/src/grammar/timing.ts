import { address, boolean, duration, flag, integer, text } from '../declare.ts'

/** How a check changes its mind, and when it looks: words of our own, for a server and for each of its checkers. */
export const changing = {
  rise: integer('rise', {
    extension: true,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'Successes in a row until a server that is down is up again; 1 when not given.',
  }),
  fall: integer('fall', {
    extension: true,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'Failures in a row until a server that is up is down: one more than retry, which it replaces.',
  }),
  delayLoopChanging: duration('delay_loop_changing', {
    extension: true,
    min: 0.001,
    max: 4294,
    doc: 'Time between two checks while failures or successes are being counted, in place of delay_before_retry and delay_loop.',
  }),
  jitter: integer('jitter', {
    extension: true,
    min: 0,
    max: 50,
    doc: 'Percent by which each wait is randomly shorter or longer, so that many directors do not check in step.',
  }),
} as const

/** When a checker runs and how it forgives: the options every timed checker has (keepalived §10.1). Not set: inherited. */
export const timing = {
  delayLoop: duration('delay_loop', {
    min: 0.000001,
    max: 4294,
    inherits: 'real_server',
    since: '2.0.0',
    doc: 'Time from the end of one check to the start of the next.',
  }),
  retry: integer('retry', {
    min: 0,
    max: 2 ** 32 - 1,
    inherits: 'real_server',
    doc: 'Failures in a row that are forgiven while the server is up.',
  }),
  delayBeforeRetry: duration('delay_before_retry', {
    min: 0,
    max: 4294,
    inherits: 'real_server',
    doc: 'Time between a forgiven failure and the next attempt.',
  }),
  warmup: duration('warmup', {
    min: 0,
    max: 4294,
    inherits: 'real_server',
    doc: 'The first check waits a random time up to this, so that checks spread.',
  }),
  alpha: boolean('alpha', { inherits: 'real_server', doc: 'Counts as down until the first success.' }),
  logAllFailures: boolean('log_all_failures', { doc: 'Log also the failures that are forgiven.' }),
  ...changing,
} as const

/** Where a checker connects and how long it waits: the options every network checker has. Not set: the real server's. */
export const connection = {
  connectIp: address('connect_ip', {
    inherits: 'real_server',
    doc: 'Address to check, where it is not the real server itself.',
  }),
  connectPort: integer('connect_port', {
    min: 1,
    max: 65535,
    inherits: 'real_server',
    doc: "Port to check, where it is not the real server's.",
  }),
  bindTo: address('bindto', { doc: 'Local address to connect from; of the same family.' }),
  bindPort: integer('bind_port', { min: 1, max: 65535, doc: 'Local port to connect from.' }),
  bindInterface: text('bind_if', {
    maxLength: 15,
    what: 'an interface name',
    doc: 'Interface to connect through; needed for link-local addresses.',
  }),
  connectTimeout: duration('connect_timeout', {
    min: 0.000001,
    max: 4294,
    inherits: 'real_server',
    doc: 'Time that connecting, or one step of the check, may take.',
  }),
  fwmark: integer('fwmark', { min: 0, max: 2 ** 32 - 1, doc: 'Mark on the packets of the check (SO_MARK).' }),
} as const

/** For checkers that speak TCP or UDP to the real server itself. */
export const dataPath = {
  dataPath: flag('data_path', {
    extension: true,
    doc: 'Check the address of the virtual server (or connect_ip) through this real server, as the packets of clients go: for lvs_method DR and TUN. Needs data_path_marks in global_defs.',
  }),
} as const
