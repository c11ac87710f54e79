import type { Plan, ReloadResult, Status, VirtualServerStatus } from './model.ts'

/** Real servers per piece: about 100 KiB of JSON, well under a millisecond. */
const serversPerPiece = 100

/**
 * A status as JSON text in pieces, each of them short work, so that 50,000 servers keep no one waiting. Joined they
 * are one JSON object equal to the status (the tables come last).
 */
export function* statusPieces(status: Status): Generator<string> {
  const { virtualServers, foreign, probers, dataPaths, ...rest } = status
  yield JSON.stringify({ ...rest, probers }).slice(0, -1)
  yield ',"foreign":'
  yield* arrayPieces(foreign, 500)
  if (dataPaths !== undefined) {
    yield ',"dataPaths":'
    yield* arrayPieces(dataPaths, 500)
  }
  yield ',"virtualServers":['
  let separator = ''
  for (const virtualServer of virtualServers) {
    yield separator
    yield* virtualServerPieces(virtualServer)
    separator = ','
  }
  yield ']}\n'
}

/** What a reload or a plan comes to, in the same way. */
export function* changesPieces({ changes, ...rest }: ReloadResult | Plan): Generator<string> {
  yield JSON.stringify(rest).slice(0, -1)
  yield ',"changes":'
  yield* arrayPieces(changes, 500)
  yield '}\n'
}

function* virtualServerPieces(virtualServer: VirtualServerStatus): Generator<string> {
  const { servers, ...rest } = virtualServer
  yield JSON.stringify(rest).slice(0, -1)
  yield ',"servers":'
  yield* arrayPieces(servers, serversPerPiece)
  yield '}'
}

function* arrayPieces(values: readonly unknown[], perPiece: number): Generator<string> {
  yield '['
  for (let start = 0; start < values.length; start += perPiece) {
    const text = JSON.stringify(values.slice(start, start + perPiece)).slice(1, -1)
    yield start === 0 ? text : `,${text}`
  }
  yield ']'
}
