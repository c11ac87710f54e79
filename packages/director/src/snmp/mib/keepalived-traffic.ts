import type { Traffic } from '@ipvs-director/control'
import type { Column } from '../tree.ts'
import { counter32, counter64, gauge } from '../value.ts'

const rates = ['connectionRate', 'inPacketRate', 'outPacketRate', 'inByteRate', 'outByteRate'] as const

/** Where the figures of a service, or of a real server, begin among its columns. */
export interface TrafficNumbers {
  /** Connections, packets in and out, bytes in and out, rates: eleven columns but for those of connections there are now. */
  readonly connections: number
  readonly packets: number
  readonly rates: number
  /** Connections and packets with 64 bits. */
  readonly wide: number
  /** Rates in halves, then as one. */
  readonly halves: number
  readonly wideRates: number
}

/** What IPVS counts, as KEEPALIVED-MIB shows it: with 32 bits, with 64, and rates in halves. */
export function trafficColumns<Row>(numbers: TrafficNumbers, of: (row: Row) => Traffic): Column<Row>[] {
  const { connections, packets, wide } = numbers
  return [
    { number: connections, value: (row) => gauge(of(row).connections) },
    { number: packets, value: (row) => counter32(of(row).inPackets) },
    { number: packets + 1, value: (row) => counter32(of(row).outPackets) },
    { number: packets + 2, value: (row) => counter64(of(row).inBytes) },
    { number: packets + 3, value: (row) => counter64(of(row).outBytes) },
    ...rates.map((rate, i): Column<Row> => ({ number: numbers.rates + i, value: (row) => gauge(of(row)[rate]) })),
    { number: wide, value: (row) => counter64(of(row).connections) },
    { number: wide + 1, value: (row) => counter64(of(row).inPackets) },
    { number: wide + 2, value: (row) => counter64(of(row).outPackets) },
    ...rates.flatMap((rate, i): Column<Row>[] => [
      { number: numbers.halves + 2 * i, value: (row) => gauge(of(row)[rate] % 2 ** 32) },
      { number: numbers.halves + 2 * i + 1, value: (row) => gauge(Math.trunc(of(row)[rate] / 2 ** 32)) },
    ]),
    ...rates.map((rate, i): Column<Row> => ({ number: numbers.wideRates + i, value: (row) => counter64(of(row)[rate]) })), // prettier-ignore
  ]
}
