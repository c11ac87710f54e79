export { address, parseAddress, KernelError, type Address, type Endpoint, type Family } from '@ipvs-director/core'
export type {
  AddressServiceKey,
  Command,
  Destination,
  DestinationCounters,
  DestinationKey,
  DestinationSettings,
  ForwardingMethod,
  MarkServiceKey,
  Protocol,
  Service,
  ServiceKey,
  ServiceSettings,
  Statistics,
  Table,
  Tunnel,
} from './table.ts'
export { destinationId, isMark, serviceFamily, serviceId } from './table.ts'
export type {
  DestinationEntry,
  DestinationGlance,
  Info,
  IpvsClient,
  IpvsError,
  ServiceEntry,
  SyncDaemon,
  Timeouts,
} from './client.ts'
export { defaultDestination, defaultService, serviceOf, tableOf } from './defaults.ts'
export { sameDestination, sameService, tunnelOf } from './same.ts'
export { diff, diffSteps, type DiffOptions } from './diff.ts'
export { memoryIpvs, type MemoryIpvs, type MemoryIpvsOptions } from './memory.ts'
export { openIpvs, type OpenIpvsOptions } from './kernel.ts'
export { openProcText, type TextSource } from './proc-file.ts'
export { parseText, type TextService } from './proc.ts'
