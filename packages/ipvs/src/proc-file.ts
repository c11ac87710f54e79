import { pause } from '@ipvs-director/core'
import { closeSync, openSync, readSync } from 'node:fs'
import { textReader, type TextService } from './proc.ts'

/** Where the text of the table comes from. */
export interface TextSource {
  /** Reads the whole text anew. Rejects with a DecodeError, or a system error of the file. */
  read(): Promise<TextService[]>
  close(): void
}

/** The kernel hands out about one page a read, but for a service whose lines are longer. */
const pieceBytes = 65_536

/**
 * The table of the network namespace in which this thread is at the moment of the call: the file is opened once and
 * read from its beginning each time, so it stays with the netlink socket opened beside it, wherever `setns` leads
 * later. (`/proc/net` would follow the process; a read in the thread pool would follow the pool's thread.)
 */
export function openProcText(path = '/proc/thread-self/net/ip_vs'): TextSource {
  const file = openSync(path, 'r')
  let open = true

  async function read(): Promise<TextService[]> {
    const reader = textReader()
    const piece = Buffer.allocUnsafe(pieceBytes)
    let position = 0
    for (;;) {
      if (!open) throw new Error('the IPVS client is closed')
      // Nothing to wait for in procfs: the kernel prints the text while it is read.
      const length = readSync(file, piece, 0, pieceBytes, position)
      if (length === 0) return reader.end()
      reader.push(piece.subarray(0, length))
      position += length
      const wait = pause()
      if (wait !== undefined) await wait
    }
  }

  return {
    read,
    close() {
      if (open) closeSync(file)
      open = false
    },
  }
}
