import { silentLogger } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { memoryIpvs, type SyncDaemon } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { createSyncDaemons } from './sync-daemons.ts'

const wanted = { interface: 'eth0', instance: undefined, id: 7, maxLength: undefined, port: undefined, ttl: undefined, group: undefined } // prettier-ignore

test('of two daemons the kernel takes one: that one is stopped at the end', async () => {
  const ipvs = memoryIpvs()
  const startDaemon = (daemon: SyncDaemon): Promise<void> =>
    daemon.state === 'backup' ? Promise.reject(new Error('no')) : ipvs.startDaemon(daemon)
  const port = { daemons: () => ipvs.daemons(), stopDaemon: (daemon: SyncDaemon) => ipvs.stopDaemon(daemon), startDaemon } // prettier-ignore
  const daemons = createSyncDaemons({ ipvs: port, logger: silentLogger, clock: fakeClock(), isMaster: () => undefined })
  await daemons.use(wanted)
  expect(await ipvs.daemons()).toMatchObject([{ state: 'master', syncId: 7 }])
  await daemons.stop()
  expect(await ipvs.daemons()).toEqual([])
})
