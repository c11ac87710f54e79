import type { CheckerConfig, Config, Globals, RealServer, SorryServer, VirtualServer } from '@ipvs-director/config'
import { address, millis, parseEndpoint, seconds, type Endpoint } from '@ipvs-director/core'

const place = { file: 'test.conf', line: 1, column: 1 }

export function endpoint(text: string): Endpoint {
  const parsed = parseEndpoint(text)
  if (parsed === undefined) throw new TypeError(`not an endpoint: ${text}`)
  return parsed
}

/** A TCP_CHECK of the server itself, as the reader would resolve it. */
export function tcpChecker(target: string, overrides: Partial<CheckerConfig['timing']> = {}): CheckerConfig {
  return {
    place,
    kind: 'TCP_CHECK',
    timing: {
      delayLoop: seconds(1),
      retry: 0,
      delayBeforeRetry: seconds(1),
      warmup: millis(0),
      timeout: seconds(1),
      alpha: false,
      logAllFailures: false,
      ...overrides,
    },
    connection: {
      ...endpoint(target),
      bindAddress: undefined,
      bindPort: undefined,
      bindInterface: undefined,
      fwmark: 0,
    },
    options: {},
  }
}

export function realServer(target: string, overrides: Partial<RealServer> = {}): RealServer {
  return {
    place,
    ...endpoint(target),
    weight: 1,
    forwarding: { method: 'droute', tunnel: undefined },
    inhibitOnFailure: false,
    degradedWeight: undefined,
    tier: 0,
    upperThreshold: 0,
    lowerThreshold: 0,
    notifyUp: undefined,
    notifyDown: undefined,
    smtpAlert: true,
    snmpName: undefined,
    virtualhost: undefined,
    checkers: [tcpChecker(target)],
    ...overrides,
  }
}

export function sorryServer(target: string, overrides: Partial<SorryServer> = {}): SorryServer {
  return { ...endpoint(target), forwarding: { method: 'droute', tunnel: undefined }, inhibit: false, ...overrides }
}

export function virtualServer(overrides: Partial<VirtualServer> = {}): VirtualServer {
  return {
    place,
    name: '192.0.2.1:80/tcp',
    target: { kind: 'address', address: address('192.0.2.1'), port: 80 },
    protocol: 'tcp',
    scheduler: 'wrr',
    forwarding: { method: 'droute', tunnel: undefined },
    persistenceTimeout: 0,
    persistenceGranularity: 0xffffffff,
    persistenceEngine: undefined,
    onePacket: false,
    flag1: false,
    flag2: false,
    flag3: false,
    haSuspend: false,
    virtualhost: undefined,
    alpha: false,
    omega: false,
    quorum: 1,
    hysteresis: 0,
    quorumUp: undefined,
    quorumDown: undefined,
    delayLoop: seconds(1),
    drainOnRemoval: millis(0),
    panicThreshold: 0,
    slowStart: millis(0),
    smtpAlert: false,
    snmpName: undefined,
    sorryServer: undefined,
    realServers: [],
    ...overrides,
  }
}

const globals: Globals = {
  routerId: undefined,
  scriptUser: undefined,
  enableScriptSecurity: false,
  setSupplementaryGroups: false,
  useSymlinkPaths: false,
  lvsFlush: false,
  lvsFlushOnStop: false,
  lvsTimeouts: undefined,
  checkerLogAllFailures: false,
  rsInitNotifies: false,
  reconcileInterval: seconds(30),
}

export function config(virtualServers: readonly VirtualServer[], overrides: Partial<Globals> = {}): Config {
  const vrrp = {
    globals: { fifoStatesOnReload: false },
    instances: [],
    syncGroups: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
  }
  const process = { netNamespace: undefined, ipvsNamespace: undefined, instance: undefined, files: {} }
  return {
    globals: { ...globals, ...overrides },
    virtualServers,
    vrrp,
    process,
    bfdInstances: [],
    trackFiles: [],
  } as unknown as Config
}
