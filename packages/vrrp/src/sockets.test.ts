import { silentLogger } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import type { Path } from './link.ts'
import { createSockets } from './sockets.ts'

const path = (receiveBuffer: number | undefined): Path => ({ family: 'inet', interface: 'eth0', group: undefined, source: undefined, protocol: 112, receiveBuffer }) // prettier-ignore

test('who shares a socket shares its receive buffer, which has room for all of them', () => {
  const sizes: (number | undefined)[] = []
  const open = (wanted: Path) => {
    sizes.push(wanted.receiveBuffer)
    return { send: () => undefined, dropped: () => 0, resize: (bytes: number) => void sizes.push(bytes), close: () => undefined } // prettier-ignore
  }
  const sockets = createSockets({ open }, silentLogger, () => undefined)
  const want = (vrid: number, bytes: number | undefined) => sockets.subscribe(path(bytes), vrid, () => undefined)
  const first = want(1, 1000)
  const second = want(2, 3000)
  want(3, undefined)
  expect(sizes).toEqual([1000, 4000])
  first?.close()
  second?.close()
  expect(sizes).toEqual([1000, 4000, 3000])
  want(1, 50)
  expect(sizes).toEqual([1000, 4000, 3000, 50])
})
