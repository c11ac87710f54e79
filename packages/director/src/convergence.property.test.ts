/** From any configuration to any other, through whatever happens: the table ends as file, overlay and health say. */
import { test as property } from '@fast-check/vitest'
import { memoryIpvs } from 'ipvs-netlink'
import { converges, file, steps } from './testing/convergence.ts'

property.prop([file, steps], { numRuns: 300 })('the table ends as file, overlay and health say', (first, happening) =>
  converges(memoryIpvs(), first, happening),
)
