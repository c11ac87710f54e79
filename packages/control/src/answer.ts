import type { ServerResponse } from 'node:http'
import { pause } from '@ipvs-director/core'
import type { ControlLimits } from './limits.ts'

/** Characters gathered before they are handed to the socket. */
const chunkSize = 64 * 1024

/** Answers with one small JSON value. */
export function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  limits: ControlLimits,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = `${JSON.stringify(value)}\n`
  disconnectWhenStalled(response, limits)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

/**
 * Answers with a long text made piece by piece: lets others have their turn in between, waits for a slow reader, and gives
 * up on one that has gone or reads nothing for `limits.stallTime`.
 */
export async function answerPieces(
  response: ServerResponse,
  contentType: string,
  pieces: Iterable<string>,
  limits: ControlLimits,
  status = 200,
): Promise<void> {
  disconnectWhenStalled(response, limits)
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
  let chunk = ''
  for (const piece of pieces) {
    chunk += piece
    if (chunk.length >= chunkSize) {
      const flowing = response.write(chunk)
      chunk = ''
      if (!flowing) await drained(response)
    }
    const wait = pause()
    if (wait !== undefined) await wait
    if (response.destroyed) return
  }
  response.end(chunk)
}

/** Closes the connection when nothing could be written for `limits.stallTime`; until the answer is out. */
function disconnectWhenStalled(response: ServerResponse, limits: ControlLimits): void {
  response.setTimeout(limits.stallTime, () => {
    response.destroy()
  })
}

/** Resolves when the reader has caught up, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}
