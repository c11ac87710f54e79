import { arrayLogger } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { ipvsOf } from './ipvs-of.ts'

const failing = (code: string) => () => Promise.reject(Object.assign(new Error('cannot reach IPVS'), { code }))

test('-P on a kernel without IPVS: a table in memory, and a word about it', async () => {
  const logger = arrayLogger()
  const ipvs = await ipvsOf({ memoryIpvs: false, services: false }, logger, failing('ENOENT'))
  expect(await ipvs.services()).toEqual([])
  expect(logger.lines.map(({ level, event }) => [level, event])).toEqual([['warn', 'ipvs.absent']])
})

test.for([
  ['services are wanted', true, 'ENOENT', ['There is no IPVS here; for VRRP alone, start with -P']],
  ['it is not the kernel that lacks it', false, 'EPERM', []],
] as const)('the end where %s', async ([, services, code, said]) => {
  const logger = arrayLogger()
  await expect(ipvsOf({ memoryIpvs: false, services }, logger, failing(code))).rejects.toThrow('cannot reach IPVS')
  expect(logger.lines.map(({ message }) => message)).toEqual(said)
})
