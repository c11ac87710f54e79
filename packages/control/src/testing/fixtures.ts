import type {
  CheckStatus,
  DriftReport,
  Event,
  ReloadResult,
  ServerStatus,
  SourceStatus,
  Status,
  Traffic,
  VirtualServerStatus,
  VrrpStatus,
} from '../model.ts'

/** The moment all fixtures are told at: 2026-03-01T12:00:00Z. */
export const fixtureNow = Date.UTC(2026, 2, 1, 12)

const second = 1000
const minute = 60 * second

export function traffic(over: Partial<Traffic> = {}): Traffic {
  return {
    activeConnections: 0,
    inactiveConnections: 0,
    connections: 0,
    connectionRate: 0,
    inPacketRate: 0,
    outPacketRate: 0,
    inPackets: 0,
    outPackets: 0,
    persistentConnections: 0,
    inByteRate: 0,
    outByteRate: 0,
    inBytes: 0,
    outBytes: 0,
    ...over,
  }
}

export function check(over: Partial<CheckStatus> = {}): CheckStatus {
  return {
    kind: 'TCP_CHECK',
    target: '10.0.0.2:80',
    state: 'up',
    since: fixtureNow - 3 * minute,
    failures: 0,
    retry: 3,
    reason: 'connected to 10.0.0.2:80',
    class: 'ok',
    at: fixtureNow - 2 * second,
    tookMs: 0.8,
    probes: 30,
    failed: 0,
    nextInMs: 4 * second,
    ...over,
  }
}

/** A server that is up and as wanted. */
export function server(over: Partial<ServerStatus> = {}): ServerStatus {
  const name = over.name ?? '10.0.0.2:80'
  return {
    name,
    state: 'up',
    since: fixtureNow - 3 * minute,
    turns: 1,
    reason: `connected to ${name}`,
    class: 'ok',
    checkedAt: fixtureNow - 2 * second,
    forwarding: 'DR',
    wantedWeight: 1,
    kernelWeight: 1,
    kernelAt: fixtureNow - 4 * second,
    traffic: traffic(),
    steering: undefined,
    checks: [check({ target: name, reason: `connected to ${name}` })],
    ...over,
  }
}

/** A server that was taken out, with one checker that says why. */
export function downServer(name: string, reason: string, over: Partial<ServerStatus> = {}): ServerStatus {
  const since = fixtureNow - 12 * second
  return server({
    name,
    state: 'down',
    since,
    reason,
    class: 'refused',
    wantedWeight: undefined,
    weightSteps: [{ by: 'down', weight: undefined, why: 'it is down' }],
    kernelWeight: undefined,
    checks: [check({ target: name, state: 'down', since, failures: 4, failed: 6, reason, class: 'refused' })],
    ...over,
  })
}

export function virtualServer(over: Partial<VirtualServerStatus> = {}): VirtualServerStatus {
  return {
    name: '192.0.2.1:80/tcp',
    services: ['192.0.2.1:80/tcp'],
    scheduler: 'wrr',
    forwarding: 'DR',
    persistence: 0,
    state: 'up',
    since: fixtureNow - 3 * minute,
    turns: 1,
    aliveWeight: 1,
    quorum: 1,
    hysteresis: 0,
    panic: false,
    totals: traffic(),
    sorryServer: undefined,
    servers: [server()],
    removed: [],
    ...over,
  }
}

export function status(over: Partial<Status> = {}): Status {
  return {
    schema: 1,
    version: '0.1.0',
    pid: 4711,
    startedAt: fixtureNow - 192 * minute,
    at: fixtureNow,
    config: {
      file: '/etc/keepalived/keepalived.conf',
      loadedAt: fixtureNow - 190 * minute,
      reloads: 2,
      errors: 0,
      warnings: 0,
      diagnostics: [],
      leftOut: [],
      refused: undefined,
      onTrialUntil: undefined,
    },
    kernel: {
      reachable: true,
      ipvs: '1.2.1',
      auditedAt: fixtureNow - 4 * second,
      audits: 384,
      writes: 12,
      refused: 0,
      drifts: 1,
      lastError: undefined,
    },
    probers: [{ name: 'prober 1', pid: 4712, checks: 3, restarts: 0 }],
    vrrp: undefined,
    virtualServers: [virtualServer()],
    foreign: [],
    ...over,
  }
}

/** Servers and services of every kind: up, down, unknown, drifting, forgiven failures, sorry server, IPv6, foreign. */
export function busyStatus(): Status {
  const web = virtualServer({
    durations: [{ check: 'TCP_CHECK', counts: [40, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1], sum: 12_500 }],
    aliveWeight: 4,
    quorum: 2,
    hysteresis: 1,
    persistence: 50,
    totals: traffic({
      activeConnections: 57,
      inactiveConnections: 420,
      connectionRate: 61,
      inByteRate: 48_200,
      outByteRate: 2_310_000,
    }),
    sorryServer: server({
      name: '10.0.0.99:80',
      state: 'unknown',
      since: undefined,
      reason: '',
      class: '',
      checkedAt: undefined,
      wantedWeight: undefined,
      kernelWeight: undefined,
      checks: [],
    }),
    servers: [
      server({
        wantedWeight: 3,
        kernelWeight: 3,
        traffic: traffic({
          activeConnections: 41,
          inactiveConnections: 312,
          connections: 91_882,
          connectionRate: 45,
          inByteRate: 36_000,
          outByteRate: 1_730_000,
          inBytes: 8e8,
          outBytes: 4e10,
        }),
      }),
      server({
        name: '10.0.0.3:80',
        wantedWeight: 1,
        kernelWeight: 0,
        traffic: traffic({
          activeConnections: 16,
          inactiveConnections: 108,
          connectionRate: 16,
          inByteRate: 12_200,
          outByteRate: 580_000,
        }),
        checks: [
          check({
            kind: 'HTTP_GET',
            target: '10.0.0.3:80 /health',
            failures: 2,
            reason: 'no answer within 3 s',
            class: 'timeout',
            failed: 2,
          }),
        ],
      }),
      downServer('10.0.0.4:80', 'cannot connect to 10.0.0.4:80: ECONNREFUSED'),
      server({
        name: '10.0.0.5:80',
        state: 'unknown',
        since: undefined,
        reason: 'not probed yet',
        class: '',
        checkedAt: undefined,
        wantedWeight: undefined,
        kernelWeight: undefined,
        checks: [
          check({
            target: '10.0.0.5:80',
            state: 'unknown',
            since: undefined,
            at: undefined,
            tookMs: undefined,
            probes: 0,
            reason: '',
            class: '',
          }),
        ],
      }),
    ],
  })
  const dns = virtualServer({
    name: '[2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp',
    services: ['[2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp'],
    scheduler: 'sh',
    forwarding: 'TUN',
    state: 'down',
    since: fixtureNow - 40 * second,
    aliveWeight: 0,
    quorum: 1,
    sorryServer: server({
      name: '[2001:db8::99]:53',
      state: 'unknown',
      since: undefined,
      reason: '',
      class: '',
      checkedAt: undefined,
      forwarding: 'TUN',
      checks: [],
    }),
    servers: [
      downServer(
        '[2001:db8:1234:5678:9abc:def0:1234:1]:53',
        'HTTP_GET http://[2001:db8:1234:5678:9abc:def0:1234:1]:8053/health answered 503 Service Unavailable, wanted 200..299',
        { class: 'status' },
      ),
    ],
  })
  return status({
    virtualServers: [web, dns],
    foreign: [{ name: '198.51.100.7:25/tcp', scheduler: 'wlc', destinations: ['10.9.0.1:25', '10.9.0.2:25'] }],
  })
}

/** `services` virtual servers with `servers` real servers each. */
export function largeStatus(services: number, servers: number): Status {
  return status({
    virtualServers: Array.from({ length: services }, (_, i) => {
      const name = `192.0.${Math.floor(i / 250)}.${i % 250}:80/tcp`
      return virtualServer({
        name,
        services: [name],
        servers: Array.from({ length: servers }, (_, j) =>
          server({ name: `10.${Math.floor(j / 62_500)}.${Math.floor(j / 250) % 250}.${j % 250}:80` }),
        ),
      })
    }),
  })
}

/** One that answers, and one that fails since two minutes. */
export function sources(): readonly SourceStatus[] {
  const virtualServers = ['192.0.2.1:80/tcp']
  return [
    {
      name: 'dns A web.example.com',
      kind: 'dns',
      virtualServers,
      servers: 3,
      answeredAt: fixtureNow - 4 * second,
      failed: undefined,
      remarks: [],
    },
    {
      name: 'etcd http://127.0.0.1:2379 /web/',
      kind: 'etcd',
      virtualServers,
      servers: 2,
      answeredAt: fixtureNow - 3 * minute,
      failed: { at: fixtureNow - 2 * minute, message: 'connect ECONNREFUSED 127.0.0.1:2379' },
      remarks: ['the value of /web/c is no server'],
    },
  ]
}

export function driftReport(over: Partial<DriftReport> = {}): DriftReport {
  return {
    at: fixtureNow - 4 * second,
    found: [
      {
        at: fixtureNow - 4 * second,
        what: 'destination 10.0.0.3:80 of 192.0.2.1:80/tcp had weight 0, wanted 1',
        repaired: true,
      },
    ],
    recent: [{ at: fixtureNow - 50 * minute, what: 'service 192.0.2.1:80/tcp was missing', repaired: true }],
    foreign: [{ name: '198.51.100.7:25/tcp', scheduler: 'wlc', destinations: ['10.9.0.1:25'] }],
    ...over,
  }
}

export function reloadResult(over: Partial<ReloadResult> = {}): ReloadResult {
  return {
    ok: true,
    diagnostics: [],
    changes: ['real server 10.0.0.5:80 of 192.0.2.1:80/tcp: added'],
    writes: 1,
    ...over,
  }
}

export function event(sequence: number, over: Partial<Event> = {}): Event {
  return {
    sequence,
    at: fixtureNow + sequence,
    event: 'server.down',
    message: `10.0.0.4:80 of 192.0.2.1:80/tcp is down: cannot connect to 10.0.0.4:80: ECONNREFUSED`,
    fields: { service: '192.0.2.1:80/tcp', server: '10.0.0.4:80', class: 'refused' },
    ...over,
  }
}

/** A master that hears another one. */
export function splitBrain(): VrrpStatus {
  return {
    pid: 4713,
    restarts: 0,
    lag: { mean: 0.2, worst: 3 },
    trackers: [{ kind: 'script', name: 'chk_web', status: { kind: 'bad', why: 'exited with status 1' } }],
    interfaces: [{ name: 'eth0', index: 2, mac: '02:00:00:00:00:02', up: true }],
    strangers: { v2: 1, v3: 2 },
    groups: [{ name: 'G1', state: 'master', since: fixtureNow - 3 * minute, why: 'VI_1 is master', members: ['VI_1'] }],
    instances: [
      {
        name: 'VI_1',
        state: 'master',
        since: fixtureNow - 3 * minute,
        upSince: fixtureNow - 4 * minute,
        masterReason: 'silence',
        protocolError: 'ttl',
        own: '10.0.0.2',
        why: 'the master went silent',
        interface: 'eth0',
        virtualRouterId: 51,
        version: 3,
        group: 'G1',
        priority: {
          effective: 120,
          base: 150,
          total: 120,
          shares: [{ what: 'script chk_web', add: -30, status: 'bad' }],
        },
        interval: 1000,
        masterInterval: 1000,
        masterDownInterval: 3414,
        faults: [],
        waitingFor: [],
        held: false,
        yielding: false,
        master: undefined,
        rival: { address: '10.0.0.3', priority: 100, adverts: 30, since: fixtureNow - 30 * second },
        claim: undefined,
        peers: [{ address: '10.0.0.3', priority: 100, adverts: 40, heardAt: fixtureNow - second }],
        timers: { advert: 400 },
        leaseLeft: 2 * second,
        addresses: ['192.0.2.1/24'],
        counters: {
          advertsSent: 180,
          advertsReceived: 40,
          priorityZeroSent: 0,
          priorityZeroReceived: 0,
          becameMaster: 1,
          releasedMaster: 0,
          sendErrors: 0,
          addressErrors: 4,
          rejected: { ttl: 3, checksum: 0 },
        },
      },
    ],
  }
}
