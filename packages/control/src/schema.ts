import type {
  CheckPace,
  CheckStatus,
  CompareStatus,
  ConfigStatus,
  Difference,
  Drift,
  DriftReport,
  Event,
  CheckDurations,
  DataPathStatus,
  ForeignService,
  KernelStatus,
  Plan,
  Problem,
  ProberStatus,
  ReloadResult,
  ServerStatus,
  SourceStatus,
  Status,
  SteerAnswer,
  SteeringStatus,
  Traffic,
  Version,
  VirtualServerStatus,
  VrrpCounters,
  VrrpGroupStatus,
  VrrpInstanceStatus,
  VrrpPriority,
  VrrpStatus,
} from './model.ts'

/** A JSON Schema, draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A member that may be missing (undefined in the model). */
interface Maybe {
  readonly maybe: JsonSchema
}

/** One row per member of the model: the compiler complains of a missing, a further and a wrongly optional one. */
type Fields<T> = { readonly [K in keyof Required<T>]: undefined extends T[K] ? Maybe : JsonSchema }

/** Members that are not declared are allowed: later versions may add some, and readers must not mind. */
function object<T>(description: string, fields: Fields<T>): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, field] of Object.entries<JsonSchema | Maybe>(fields)) {
    if (isMaybe(field)) properties[name] = field.maybe
    else {
      properties[name] = field
      required.push(name)
    }
  }
  return { type: 'object', description, properties, required }
}

function isMaybe(field: JsonSchema | Maybe): field is Maybe {
  return 'maybe' in field
}

const maybe = (schema: JsonSchema): Maybe => ({ maybe: schema })
const ref = (name: string): JsonSchema => ({ $ref: `#/$defs/${name}` })
const listOf = (items: JsonSchema, description?: string): JsonSchema => ({
  type: 'array',
  items,
  ...(description === undefined ? {} : { description }),
})
const text = (description?: string): JsonSchema => ({
  type: 'string',
  ...(description === undefined ? {} : { description }),
})
const flag = (description: string): JsonSchema => ({ type: 'boolean', description })
const whole = (description: string): JsonSchema => ({ type: 'integer', minimum: 0, description })
const figure = (description: string): JsonSchema => ({ type: 'number', minimum: 0, description })
const moment = (description: string): JsonSchema => ({
  type: 'number',
  description: `${description} Milliseconds since 1970.`,
})
const duration = (description: string): JsonSchema => ({ type: 'number', description: `${description} Milliseconds.` })
const state: JsonSchema = { enum: ['up', 'down', 'unknown'], description: 'unknown: no verdict yet.' }
const serviceState: JsonSchema = { enum: ['up', 'down'], description: 'Whether there is quorum.' }
const schemaVersion: JsonSchema = {
  const: 1,
  description: 'Version of this schema; changes when a member is removed or means something else.',
}

const definitions = {
  Status: object<Status>('GET /v1/status', {
    schema: schemaVersion,
    version: text('Of the director.'),
    pid: whole('Of the director.'),
    startedAt: moment('When the director started.'),
    at: moment('When this answer was made; ages count from here.'),
    config: ref('ConfigStatus'),
    kernel: ref('KernelStatus'),
    probers: listOf(ref('ProberStatus')),
    vrrp: maybe(ref('VrrpStatus')),
    virtualServers: listOf(ref('VirtualServerStatus')),
    foreign: listOf(ref('ForeignService'), "Services in the kernel's table that are not ours."),
    sources: maybe(listOf(ref('SourceStatus'), 'Where real servers come from beside the file.')),
    removedServices: maybe(listOf(text(), 'Virtual servers of the file that were removed by hand.')),
    comparing: maybe(ref('CompareStatus')),
    dataPaths: maybe(listOf(ref('DataPathStatus'), 'Services of ours, for checks with data_path.')),
  }),
  DataPathStatus: object<DataPathStatus>('A service for a mark of data_path_marks, with one destination.', {
    name: text('fwmark 7000/inet'),
    server: text('Address of the real server.'),
    forwarding: text('DR, TUN and so on, as in the configuration.'),
    present: flag('Whether the kernel has it, as far as is known.'),
  }),
  CompareStatus: object<CompareStatus>('--compare: nothing is written, another program does; what was found so far.', {
    since: moment('When it began.'),
    looks: whole("At the kernel's table."),
    lookedAt: maybe(moment('The last one.')),
    waiting: whole("Differences that may still be the two programs' different pace."),
    counted: whole('Differences counted since the start.'),
    brief: object<CompareStatus['brief']>('Those that ended before they counted.', {
      count: whole('How many.'),
      longest: duration('How long the longest of them lasted.'),
    }),
    open: listOf(ref('Difference'), 'Those that count and are still there.'),
    ended: listOf(ref('Difference'), 'Those that counted and are over, newest first.'),
  }),
  Difference: object<Difference>('Something that the kernel has otherwise than this director would.', {
    at: moment('Since when.'),
    service: text('In the kernel.'),
    server: maybe(text('The entry under it; missing: the service itself.')),
    kernel: text('weight 3, no entry, …'),
    ours: text('What this director would have.'),
    why: text('Why it would.'),
    patience: duration('For so long it does not count.'),
    until: maybe(moment('When it was over.')),
  }),
  SourceStatus: object<SourceStatus>('A source of real servers (real_servers_from).', {
    name: text('dns A web.example.com, etcd http://127.0.0.1:2379 /web/'),
    kind: { enum: ['dns', 'etcd'] },
    virtualServers: listOf(text(), 'Those it is for.'),
    servers: whole('Of its last good answer, which counts until there is another.'),
    answeredAt: maybe(moment('When that answer came; missing: there was none.')),
    failed: maybe(
      object<NonNullable<SourceStatus['failed']>>('It fails.', {
        at: moment('Since when.'),
        message: text('Why, the last time.'),
      }),
    ),
    remarks: listOf(text(), 'What in its last answer cannot be used.'),
  }),
  ConfigStatus: object<ConfigStatus>('What runs, and whether the last reload was accepted.', {
    file: text(),
    loadedAt: moment('When the running configuration was loaded.'),
    reloads: whole('Reloads carried out since the start.'),
    refused: maybe(
      object<NonNullable<ConfigStatus['refused']>>('The last reload, if it was refused.', {
        at: moment('When.'),
        diagnostics: listOf(text(), 'Rendered: place, text, excerpt.'),
      }),
    ),
    onTrialUntil: maybe(moment('A reload on trial: when it is rolled back unless confirmed.')),
  }),
  KernelStatus: object<KernelStatus>("The kernel's table as a whole.", {
    reachable: flag('Whether the last exchange with the kernel worked.'),
    ipvs: text('Version, for example 1.2.1; memory: no kernel, a table in memory.'),
    auditedAt: maybe(moment('When the table was last read.')),
    audits: whole('Since the start.'),
    writes: whole('Commands written since the start.'),
    refused: whole('Commands the kernel refused since the start.'),
    drifts: whole('Differences found and repaired since the start.'),
    lastError: maybe(
      object<NonNullable<KernelStatus['lastError']>>('The last refusal.', { at: moment('When.'), message: text() }),
    ),
  }),
  ProberStatus: object<ProberStatus>('A process that probes real servers.', {
    name: text(),
    pid: maybe(whole('Missing: it is not running.')),
    checks: whole('Checks it carries out.'),
    restarts: whole('Since the start.'),
  }),
  VrrpStatus: object<VrrpStatus>('The vrrp process and its instances.', {
    pid: whole('Of the process.'),
    restarts: whole('How often it had to be started again.'),
    lag: object<VrrpStatus['lag']>('How late its event loop was since it was asked last.', {
      mean: duration('On average.'),
      worst: duration('At worst.'),
    }),
    instances: listOf(ref('VrrpInstanceStatus')),
    groups: listOf(ref('VrrpGroupStatus')),
  }),
  VrrpInstanceStatus: object<VrrpInstanceStatus>('A vrrp_instance.', {
    name: text(),
    state: { enum: ['init', 'backup', 'master', 'fault', 'stopped'] },
    since: moment('When it became so.'),
    why: text('What made it so.'),
    interface: maybe(text()),
    virtualRouterId: whole('VRID.'),
    version: { enum: [2, 3], description: 'Of the protocol.' },
    group: maybe(text('Its sync group.')),
    priority: object<VrrpPriority>('Its priority as a sum.', {
      effective: whole('What is sent.'),
      base: whole('As configured.'),
      total: { type: 'integer', description: 'The sum without limits.' },
      shares: listOf(
        object<VrrpPriority['shares'][number]>('What is added or taken away.', {
          what: text('script chk_web, interface eth1, …'),
          add: { type: 'number' },
          status: text('unknown, good, bad, value'),
        }),
      ),
    }),
    interval: duration('Between two adverts.'),
    masterInterval: duration('Between two adverts of the master.'),
    masterDownInterval: duration('Silence after which it takes over.'),
    faults: listOf(text(), 'What keeps it in fault.'),
    waitingFor: listOf(text(), 'What it waits for before it may be master.'),
    held: flag('Backup by hand until released.'),
    yielding: flag('Mastership given away by hand.'),
    master: maybe(
      object<NonNullable<VrrpInstanceStatus['master']>>('The master that is heard.', {
        address: text(),
        priority: whole('As heard.'),
        heardAgo: duration('Since its last advert.'),
      }),
    ),
    rival: maybe(
      object<NonNullable<VrrpInstanceStatus['rival']>>('Another master that goes on: split brain.', {
        address: text(),
        priority: whole('As heard.'),
        adverts: whole('Heard of it.'),
        since: moment('When it was heard first.'),
      }),
    ),
    claim: maybe(
      object<NonNullable<VrrpInstanceStatus['claim']>>('Another machine that says it has one of the addresses.', {
        address: text(),
        mac: text(),
      }),
    ),
    peers: listOf(
      object<VrrpInstanceStatus['peers'][number]>('Another machine of this virtual router.', {
        address: text(),
        priority: whole('As heard.'),
        adverts: whole('Heard of it.'),
        heardAt: moment('The last one.'),
      }),
    ),
    timers: {
      type: 'object',
      description: 'Milliseconds until each is due.',
      additionalProperties: { type: 'number' },
    },
    leaseLeft: maybe(duration('Until the kernel drops the addresses unless they are renewed.')),
    addresses: listOf(text(), 'Virtual addresses.'),
    counters: object<VrrpCounters>('Since its start.', {
      advertsSent: whole('Adverts.'),
      advertsReceived: whole('Adverts that counted.'),
      priorityZeroSent: whole('Of these: giving up.'),
      priorityZeroReceived: whole('Of these: giving up.'),
      becameMaster: whole('Times.'),
      releasedMaster: whole('Times.'),
      sendErrors: whole('Adverts the kernel did not take.'),
      rejected: { type: 'object', description: 'Adverts by the reason.', additionalProperties: { type: 'integer' } },
    }),
  }),
  VrrpGroupStatus: object<VrrpGroupStatus>('A vrrp_sync_group.', {
    name: text(),
    state: { enum: ['backup', 'master', 'fault'] },
    since: moment('When it became so.'),
    why: text('What made it so.'),
    members: listOf(text(), 'Instances.'),
  }),
  VirtualServerStatus: object<VirtualServerStatus>('A virtual server and its pool.', {
    name: text('192.0.2.1:80/tcp, fwmark 7/inet, group web/tcp. Unique.'),
    services: listOf(text(), "Its entries in the kernel's table."),
    scheduler: text('The IPVS algorithm.'),
    forwarding: text('As keepalived.conf spells it: NAT, DR, TUN.'),
    persistence: whole('Seconds; 0: off.'),
    state: serviceState,
    since: moment('Since when it is in that state.'),
    aliveWeight: figure('Sum of the weights of the servers alive.'),
    quorum: whole('Weight that must be alive to serve.'),
    hysteresis: whole('Quorum is lost below quorum - hysteresis and gained at quorum + hysteresis.'),
    panic: flag('So many are down that the checks are not believed: all serve.'),
    refused: maybe(text('The kernel will not have its service: it is not offered, whatever the state.')),
    totals: ref('Traffic'),
    sorryServer: maybe(ref('ServerStatus')),
    servers: listOf(ref('ServerStatus'), 'Every configured one, those taken out included.'),
    removed: listOf(text(), 'Servers of the file that were left out by hand.'),
    added: maybe(flag('It was added by hand.')),
    leaving: maybe(
      object<NonNullable<VirtualServerStatus['leaving']>>('It is out when its real servers are drained.', {
        since: moment('When that began.'),
        deadline: maybe(moment('When it ends whatever is left.')),
      }),
    ),
    durations: maybe(listOf(ref('CheckDurations'), 'How long its probes took.')),
  }),
  CheckDurations: object<CheckDurations>('Probes of one kind of check by how long they took.', {
    check: text('TCP_CHECK, HTTP_GET, …'),
    counts: listOf(whole('Probes'), 'Up to 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000 ms, and longer.'),
    sum: duration('Of all.'),
  }),
  ServerStatus: object<ServerStatus>('A real server of a virtual server.', {
    name: text('address:port'),
    state,
    since: maybe(moment('When it turned so; missing while unknown.')),
    reason: text('Sentence of the verdict that decides.'),
    class: text('Kind of the reason, for programs: ok, refused, timeout, status, …'),
    checkedAt: maybe(moment('When that verdict was made.')),
    forwarding: text('As keepalived.conf spells it: NAT, DR, TUN.'),
    wantedWeight: maybe(whole('What the kernel should have; missing: no entry.')),
    kernelWeight: maybe(whole('What the kernel has; missing: no entry.')),
    kernelAt: maybe(moment('When the kernel was asked; missing: not yet.')),
    traffic: ref('Traffic'),
    steering: maybe(ref('SteeringStatus')),
    checks: listOf(ref('CheckStatus')),
  }),
  SteeringStatus: object<SteeringStatus>('What was asked for by hand, over the file.', {
    admin: maybe({ enum: ['disabled', 'draining', 'drained'], description: 'Taken out of service.' }),
    host: flag('By maintenance of its host.'),
    since: maybe(moment('When it was taken out.')),
    deadline: maybe(moment('When a drain ends whatever is left.')),
    connectionsLeft: maybe(whole('Connections a drain waits for.')),
    weight: maybe(whole('Instead of the configured one.')),
    force: maybe({ enum: ['up', 'down'], description: 'Instead of what the checks say.' }),
    added: flag('It is not in the file.'),
    leaving: flag('A reload removed it; it serves the connections it has.'),
  }),
  Traffic: object<Traffic>('What the kernel counts.', {
    activeConnections: whole('Established now.'),
    inactiveConnections: whole('In any other state now.'),
    connections: whole('Since the entry was made.'),
    connectionRate: figure('Connections per second, averaged by the kernel.'),
    inByteRate: figure('Bytes per second towards the server.'),
    outByteRate: figure('Bytes per second from the server; 0 for DR and TUN, whose answers pass by.'),
    inBytes: whole('Bytes towards the server.'),
    outBytes: whole('Bytes from the server.'),
  }),
  CheckStatus: object<CheckStatus>('A check of a real server.', {
    kind: text('TCP_CHECK, HTTP_GET, …'),
    target: text('What is probed.'),
    state,
    since: maybe(moment('When it turned so.')),
    failures: whole('In a row, up to now.'),
    retry: whole('Failures in a row that are forgiven.'),
    reason: text('Sentence of the last verdict.'),
    class: text('Kind of the reason.'),
    at: maybe(moment('When the last probe ended.')),
    tookMs: maybe(duration('What the last probe took.')),
    probes: whole('Since the check exists.'),
    failed: whole('Of these.'),
    nextInMs: maybe(duration('Until the next probe.')),
    timing: maybe(ref('CheckPace')),
  }),
  CheckPace: object<CheckPace>('What the configuration says about its pace.', {
    delayLoop: duration('Between two probes.'),
    delayBeforeRetry: duration('Between a forgiven failure and the next probe.'),
    timeout: duration('What one probe may take.'),
  }),
  ForeignService: object<ForeignService>("A service in the kernel's table that is not ours.", {
    name: text(),
    scheduler: text(),
    destinations: listOf(text()),
  }),
  DriftReport: object<DriftReport>('GET and POST /v1/audit', {
    at: moment('When the audit was made.'),
    found: listOf(ref('Drift')),
    recent: listOf(ref('Drift'), 'Of earlier audits, newest first.'),
    foreign: listOf(ref('ForeignService')),
    comparing: maybe(flag('--compare: differences from the program that writes the table; nothing is repaired.')),
  }),
  Drift: object<Drift>('A difference between what was wanted and what the kernel had.', {
    at: moment('When it was found.'),
    what: text(),
    repaired: flag('Whether it is as wanted again.'),
  }),
  Plan: object<Plan>('POST /v1/plan', {
    ok: flag('False: the file cannot be used.'),
    file: text(),
    diagnostics: listOf(text(), 'Rendered, errors first.'),
    changes: listOf(text(), 'In the order in which they would be carried out.'),
    byHand: maybe(listOf(text(), 'What lies over the file and goes on doing so, a line each.')),
  }),
  SteerAnswer: object<SteerAnswer & { ok: true }>('POST /v1/steer', {
    ok: flag('True.'),
    changes: listOf(text(), 'What is so now, a line each.'),
  }),
  SteerRefusal: object<SteerAnswer & { ok: false }>('POST /v1/steer, when a text cannot be used (HTTP status 422).', {
    ok: flag('False.'),
    problem: text('For people.'),
    candidates: listOf(text(), 'What may have been meant.'),
    diagnostics: maybe(listOf(text(), 'Rendered, errors first.')),
  }),
  ReloadResult: object<ReloadResult>('POST /v1/reload', {
    ok: flag('False: refused, what ran goes on (HTTP status 422).'),
    confirmWithin: maybe(duration('It is rolled back unless confirmed within that.')),
    diagnostics: listOf(text(), 'Rendered, errors first.'),
    changes: listOf(text(), 'What changed, a line each.'),
    writes: whole('Commands written to the kernel.'),
  }),
  Event: object<Event>('An item of GET /v1/events', {
    sequence: whole('Counts from 1 in each run of the director.'),
    at: moment('When it happened.'),
    event: text('Stable name: server.up, server.down, quorum.up, quorum.down, reload, drift, …'),
    message: text('For people.'),
    fields: {
      type: 'object',
      description: 'What it is about.',
      additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
    },
  }),
  Version: object<Version>('GET /v1/version', {
    schema: schemaVersion,
    version: text('Of the director.'),
    pid: whole('Of the director.'),
    startedAt: moment('When the director started.'),
  }),
  Problem: object<Problem>('The body of every answer with a status of 400 or more but 422.', {
    error: object<Problem['error']>('What went wrong.', {
      code: text('For programs: not-found, no-such-service, bad-request, forbidden, busy, …'),
      message: text('For people.'),
      suggestions: maybe(listOf(text(), 'What may have been meant.')),
    }),
  }),
} as const satisfies Record<string, JsonSchema>

/** A kind of answer that has a schema. */
export type ReplyName = keyof typeof definitions

/** The replies of the control API as one JSON Schema with a definition for each; served at `GET /v1/schema`. */
export const controlSchema: JsonSchema & {
  readonly $id: string
  readonly $defs: Readonly<Record<ReplyName, JsonSchema>>
} = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://ipvs-director.invalid/schema/control/v1',
  title: 'Replies of the control API of ipvs-director, version 1',
  $defs: definitions,
}
