import type {
  ProtectedAddress,
  SyncGroup,
  Tracking,
  VrrpConfig,
  VrrpGlobals,
  VrrpInstance,
  VrrpNotify,
} from '@ipvs-director/config'
import { address, familyOf, millis, seconds } from '@ipvs-director/core'
import type { VrrpPlan } from '../vrrp.ts'

/** Effective configurations for tests, as `loadConfig` would make them of almost empty blocks. */

const place = { file: 'test.conf', line: 1, column: 1 } as const

export const noTracking: Tracking = {
  interfaces: [],
  scripts: [],
  files: [],
  processes: [],
  bfd: [],
  virtualServers: [],
}

const noNotify: VrrpNotify = {
  master: undefined,
  backup: undefined,
  fault: undefined,
  stop: undefined,
  any: undefined,
  priorityChanges: false,
  smtpAlert: false,
}

export function aVip(text: string, on: string | undefined = 'eth0'): ProtectedAddress {
  const host = address(text)
  return {
    place,
    track: true,
    trackGroup: undefined,
    address: host,
    prefix: familyOf(host) === 'inet' ? 32 : 128,
    interface: on,
    broadcast: undefined,
    scope: 0,
    label: undefined,
    peer: undefined,
    home: false,
    nodad: false,
    mngtmpaddr: false,
    noPrefixRoute: false,
    autojoin: false,
    preferredLifetime: undefined,
    useVmac: false,
  }
}

export function anInstance(change: Partial<VrrpInstance> = {}): VrrpInstance {
  const family = change.family ?? 'inet'
  return {
    place,
    name: 'VI_1',
    family,
    version: family === 'inet6' ? 3 : 2,
    interface: 'eth0',
    vrf: undefined,
    virtualRouterId: 51,
    priority: 100,
    initialState: 'BACKUP',
    advertInterval: seconds(1),
    downTimerAdverts: 3,
    strict: false,
    auth: undefined,
    hmac: undefined,
    preempt: true,
    preemptDelay: millis(0),
    addresses: [aVip(family === 'inet6' ? 'fe80::64' : '192.0.2.100')],
    excluded: [],
    routes: [],
    rules: [],
    promoteSecondaries: false,
    accept: true,
    vmac: undefined,
    ipvlan: undefined,
    sourceAddress: undefined,
    trackSourceAddress: false,
    multicastGroup: address(family === 'inet6' ? 'ff02::12' : '224.0.0.18'),
    unicastPeers: [],
    unicastTtl: undefined,
    unicastFaultWithoutPeers: false,
    checkUnicastSource: false,
    oldUnicastChecksum: 'auto',
    v3ChecksumAsV2: false,
    skipCheckAdvertAddresses: false,
    lowerPriorityNoAdvert: false,
    higherPrioritySendAdvert: false,
    ownerIgnoreAdverts: false,
    timerExpiredBackup: undefined,
    receiveBuffer: undefined,
    announcing: {
      masterDelay: seconds(5),
      masterRepeat: 5,
      masterRefresh: millis(0),
      masterRefreshRepeat: 1,
      lowerPriorityDelay: seconds(5),
      lowerPriorityRepeat: 5,
      extraInterfaces: undefined,
    },
    trackPrimary: true,
    track: noTracking,
    notify: noNotify,
    notifyDeleted: undefined,
    notifyMasterRxLowerPriority: undefined,
    lvsSyncDaemonInterface: undefined,
    linkbeatPolling: false,
    vipLease: seconds(3),
    heartbeatInterfaces: [],
    heartbeatPeers: [],
    arbitration: undefined,
    preemptGate: undefined,
    ...change,
  }
}

export const aGroup = (instances: readonly string[], change: Partial<SyncGroup> = {}): SyncGroup => ({
  place,
  name: 'G1',
  instances,
  track: noTracking,
  trackingWeight: false,
  notify: noNotify,
  ...change,
})

export const someGlobals: VrrpGlobals = {
  defaultInterface: 'eth0',
  dynamicInterfaces: false,
  startupDelay: millis(0),
  delayAfterBoot: millis(0),
  garpInterval: millis(0),
  naInterval: millis(0),
  logUnknownVrids: false,
  disableLocalIgmp: false,
  vmacPrefix: 'vrrp',
  vmacAddressPrefix: 'vrrp',
  iptables: undefined,
  ipsets: undefined,
  nftables: { table: 'keepalived', priority: -1, interfaceIndexes: false, counters: false },
  routeFolders: { own: undefined, shipped: undefined },
  fifoStatesOnReload: false,
  niceness: 0,
  lockMemory: false,
  realtimePriority: 0,
  realtimeLimit: 10_000,
  processors: [],
  processName: undefined,
  mailFaults: true,
}

export function aPlan(instances: readonly VrrpInstance[], change: Partial<VrrpConfig> = {}): VrrpPlan {
  return {
    trackFiles: [],
    vrrp: {
      globals: someGlobals,
      instances,
      syncGroups: [],
      scripts: [],
      processes: [],
      staticAddresses: [],
      staticRoutes: [],
      staticRules: [],
      trackGroups: [],
      garpGroups: [],
      linkbeat: [],
      linkDelays: [],
      ...change,
    },
  }
}
