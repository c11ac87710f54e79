import { address, seconds, type Millis } from '@ipvs-director/core'
import { checksum, openVrrpSocket, watchRoute, withinNamespace, type VrrpSocket } from '@ipvs-director/linux'
import { until, type Host } from '../../test/lab/index.ts'

export const vip = '10.0.0.100'
const self = [10, 0, 0, 2]
const group = [224, 0, 0, 18]

/** A master that lives in the bench, so that its end is known to the microsecond; and a watch on who takes over. */
export interface FakeMaster {
  /** Sends adverts of priority 200 until the other is backup. */
  reign(interval: Millis): Promise<void>
  /** Falls silent, or resigns, after one last advert; resolves with how long the address was nobody's. */
  end(how: 'silence' | 'resignation', interval: Millis): Promise<number>
  close(): void
}

/** `there`: where the master is; `backup`: who takes over. */
export function fakeMaster(there: Host, backup: Host): FakeMaster {
  let held = false
  let since = 0
  const watch = inside(backup, () =>
    watchRoute(['address'], (event) => {
      if (event.about !== 'address' || event.address.address !== vip) return
      if (event.change === 'new' && !held) since = performance.now()
      held = event.change === 'new'
    }),
  )
  const nobody = { packet: () => undefined, error: () => undefined }
  const socket: VrrpSocket = inside(there, () =>
    openVrrpSocket(
      { family: 'inet', protocol: 112, interface: { name: 'eth0', index: 2 }, group: address('224.0.0.18'), source: undefined }, // prettier-ignore
      nobody,
    ),
  )
  const send = (priority: number, interval: Millis): void => {
    const bytes = advert(priority, interval)
    socket.send({ source: address('10.0.0.2'), destination: address('224.0.0.18'), ttl: 255, bytes })
  }
  let timer: NodeJS.Timeout | undefined
  return {
    async reign(interval) {
      timer = setInterval(send, interval - 2, 200, interval)
      await new Promise((resolve) => setTimeout(resolve, 2 * interval))
      await until('the other is backup', seconds(10), () => !held)
    },
    async end(how, interval) {
      clearInterval(timer)
      send(how === 'silence' ? 200 : 0, interval)
      const began = performance.now()
      await until('the other has taken over', seconds(10), () => held)
      return since - began
    },
    close() {
      clearInterval(timer)
      watch.close()
      socket.close()
    },
  }
}

const inside = <T>(host: Host, action: () => T): T => withinNamespace(`/run/netns/${host.namespace}`, action)

/** An IPv4 packet with an advertisement of version 3 for VRID 51. */
function advert(priority: number, interval: Millis): Buffer {
  const centis = Math.round(interval / 10)
  const message = Buffer.from([0x31, 51, priority, 1, centis >> 8, centis & 0xff, 0, 0, 10, 0, 0, 100])
  const pseudo = Buffer.from([...self, ...group, 0, 112, 0, message.length])
  message.writeUInt16BE(checksum(Buffer.concat([pseudo, message])), 6)
  const header = [0x45, 0xc0, 0, 20 + message.length, 0, 1, 0, 0, 255, 112, 0, 0, ...self, ...group]
  return Buffer.concat([Buffer.from(header), message])
}
