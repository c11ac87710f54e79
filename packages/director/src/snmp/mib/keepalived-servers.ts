/** KEEPALIVED-MIB, `check`: real servers. Read-only. */
import type { Forwarding } from '@ipvs-director/config'
import { addressBytes, millis, parseAddress } from '@ipvs-director/core'
import { slicedTable } from '../sliced-table.ts'
import type { Column, Node, Row } from '../tree.ts'
import { addressType, gauge, integer, octets, text, truth } from '../value.ts'
import { under } from './keepalived-global.ts'
import { methodOf, microseconds, tunnelColumns, wholeSeconds } from './keepalived-services.ts'
import { trafficColumns } from './keepalived-traffic.ts'
import { commandText, isUp, pathText, serverRows, type ServerRow, type ServiceRow } from './snapshot.ts'

/** Address and port of a server from its name, `10.0.0.2:80` or `[2001:db8::2]:80`. */
function endpointOf({ status, config }: ServerRow) {
  if (config !== undefined) return config
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(status.name)
  const address = parseAddress(match?.[1] ?? '')
  return address === undefined ? undefined : { address, port: Number(match?.[2]) }
}

const forwardingOf = ({ config, service }: ServerRow): Forwarding =>
  config?.forwarding ?? service.sorryServer?.forwarding ?? service.forwarding

/** What it has in the file, or by hand: being down or inhibited changes nothing of that. */
const weightOf = ({ config, status }: ServerRow): number =>
  (isUp(status) ? status.wantedWeight : undefined) ?? status.steering?.weight ?? config?.weight ?? 1

/** The sorry server has no checks: keepalived shows zeros. */
const defaultsOf = ({ config }: ServerRow) => (config === undefined ? { alpha: false } : config.checkDefaults)
const none = millis(0)
const limit = (value: number | undefined) => (value === undefined || value === 0 ? undefined : gauge(value))

const serverColumns: readonly Column<ServerRow>[] = [
  { number: 2, value: ({ config }) => integer(config === undefined ? 2 : 1) },
  { number: 3, value: (row) => { const at = endpointOf(row); return at && addressType(at.address) } }, // prettier-ignore
  { number: 4, value: (row) => { const at = endpointOf(row); return at && octets(addressBytes(at.address)) } }, // prettier-ignore
  { number: 5, value: (row) => { const at = endpointOf(row); return at && gauge(at.port) } }, // prettier-ignore
  { number: 6, value: ({ config, status }) => config && truth(isUp(status)) },
  { number: 7, value: (row) => row.config && integer(weightOf(row)) },
  { number: 8, value: ({ config }) => limit(config?.upperThreshold) },
  { number: 9, value: ({ config }) => limit(config?.lowerThreshold) },
  { number: 10, value: ({ config }) => config && truth(!config.inhibitOnFailure) },
  { number: 11, value: ({ config }) => commandText(config?.notifyUp) },
  { number: 12, value: ({ config }) => commandText(config?.notifyDown) },
  { number: 13, value: ({ config, status }) => config && gauge(status.checks.filter(({ state }) => state === 'down').length) }, // prettier-ignore
  ...trafficColumns<ServerRow>({ connections: 14, packets: 18, rates: 22, wide: 27, halves: 30, wideRates: 58 }, ({ status }) => status.traffic), // prettier-ignore
  { number: 15, value: ({ status }) => gauge(status.traffic.activeConnections) },
  { number: 16, value: ({ status }) => gauge(status.traffic.inactiveConnections) },
  { number: 17, value: ({ status }) => gauge(status.traffic.persistentConnections) },
  { number: 40, value: (row) => methodOf(forwardingOf(row)) },
  { number: 41, value: ({ config }) => (config?.virtualhost === undefined ? undefined : text(config.virtualhost)) },
  { number: 42, value: (row) => { const found = defaultsOf(row); return found && truth(found.alpha) } }, // prettier-ignore
  { number: 43, value: ({ config }) => gauge(config?.checkDefaults?.retry ?? 0) },
  { number: 44, value: ({ config }) => wholeSeconds(config?.checkDefaults?.delayBeforeRetry ?? none) },
  { number: 45, value: ({ config }) => wholeSeconds(config?.checkDefaults?.warmup ?? none) },
  { number: 46, value: ({ config }) => wholeSeconds(config?.checkDefaults?.delayLoop ?? none) },
  { number: 47, value: ({ config }) => truth(config?.smtpAlert ?? false) },
  { number: 48, value: ({ config }) => microseconds(config?.checkDefaults?.delayBeforeRetry ?? none) },
  { number: 49, value: ({ config }) => microseconds(config?.checkDefaults?.warmup ?? none) },
  { number: 50, value: ({ config }) => microseconds(config?.checkDefaults?.delayLoop ?? none) },
  { number: 51, value: ({ config }) => microseconds(config?.checkDefaults?.connectTimeout ?? none) },
  ...tunnelColumns<ServerRow>(52, forwardingOf),
  { number: 55, value: ({ config }) => (config?.snmpName === undefined ? undefined : text(config.snmpName)) },
  { number: 56, value: ({ config }) => pathText(config?.notifyUp) },
  { number: 57, value: ({ config }) => pathText(config?.notifyDown) },
  { number: 63, value: ({ status }) => gauge(status.checks.filter(({ state }) => state === 'unknown').length) },
]

export async function serverNodes(services: readonly ServiceRow[]): Promise<Node[]> {
  return [await slicedTable(under(3, 4, 1), serverColumns, everyServer(services), sparse)]
}

/** Limits, scripts, tunnels, names. */
const sparse = [8, 9, 11, 12, 41, 42, 52, 53, 54, 55, 56, 57]

function* everyServer(services: readonly ServiceRow[]): Generator<Row<ServerRow>> {
  for (const [i, service] of services.entries()) {
    let number = 0
    for (const row of serverRows(service)) yield { index: [i + 1, ++number], row }
  }
}
