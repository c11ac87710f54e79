import { arrayLogger } from '@ipvs-director/core/testing'
import { memoryIpvs, type IpvsClient, type Service } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { ipvsOf } from './ipvs-of.ts'
import { desiredService, serviceKeys } from './desired.ts'
import { createPool } from './pool.ts'
import { realServer, virtualServer } from './testing/config.ts'

const failing = (code: string) => () => Promise.reject(Object.assign(new Error('cannot reach IPVS'), { code }))

test('no services on a kernel without IPVS: nothing to read, and a word about it', async () => {
  const logger = arrayLogger()
  const ipvs = await ipvsOf({ memoryIpvs: false, services: false }, logger, failing('ENOENT'))
  expect(await ipvs.services()).toEqual([])
  expect(await ipvs.daemons()).toEqual([])
  expect((await ipvs.info()).version).toBe('not there')
  expect(logger.lines.map(({ level, event }) => [level, event])).toEqual([['warn', 'ipvs.absent']])
})

test('what is written then is refused with the reason, until IPVS is there', async () => {
  const real = memoryIpvs()
  let open: () => Promise<IpvsClient> = failing('ENOENT')
  const ipvs = await ipvsOf({ memoryIpvs: false, services: false }, arrayLogger(), () => open())
  const pool = createPool(virtualServer({ realServers: [realServer('10.0.0.1:80')] }), { since: 0 })
  const service: Service = desiredService(pool, serviceKeys(pool.config)[0]!)
  const commands = [{ do: 'addService', key: service.key, settings: service.settings } as const]
  expect(await ipvs.execute(commands)).toEqual([expect.objectContaining({ message: 'cannot reach IPVS' })])
  open = () => Promise.resolve(real)
  expect(await ipvs.execute(commands)).toEqual([undefined])
  expect(await ipvs.services()).toHaveLength(1)
  expect((await ipvs.info()).version).toBe((await real.info()).version)
})

test.for([
  ['services are wanted', true, 'ENOENT'],
  ['it is not the kernel that lacks it', false, 'EPERM'],
] as const)('the end where %s', async ([, services, code]) => {
  const logger = arrayLogger()
  await expect(ipvsOf({ memoryIpvs: false, services }, logger, failing(code))).rejects.toThrow('cannot reach IPVS')
  expect(logger.lines).toEqual([])
})
