import { agentCheck } from './agent/checker.ts'
import { bfdCheck } from './bfd/checker.ts'
import type { Checker } from './define.ts'
import { dnsCheck } from './dns/checker.ts'
import { fileCheck } from './file.ts'
import { grpcCheck } from './grpc/checker.ts'
import { httpGet, sslGet } from './http/checkers.ts'
import { miscCheck } from './misc.ts'
import { pingCheck } from './ping.ts'
import { smtpCheck } from './smtp/checker.ts'
import { tcpCheck } from './tcp.ts'
import { udpCheck } from './udp.ts'

/** Every kind of check there is; `loadConfig` reads their blocks, the engine runs them. */
export const checkers: readonly Checker[] = [
  tcpCheck,
  httpGet,
  sslGet,
  smtpCheck,
  dnsCheck,
  udpCheck,
  pingCheck,
  miscCheck,
  fileCheck,
  bfdCheck,
  agentCheck,
  grpcCheck,
]

/** The kinds that never run in a prober process: they need to become other users, or to read files. */
export const localKinds: ReadonlySet<string> = new Set(
  checkers.filter((checker) => checker.local).map((checker) => checker.keyword),
)
