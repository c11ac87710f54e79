/** The same as convergence.property.test.ts on the kernel's own table. CONVERGENCE_RUNS says how often. */
import { test as property } from '@fast-check/vitest'
import type { IpvsClient } from 'ipvs-netlink'
import { labNamespace } from 'ipvs-netlink/testing'
import { afterAll, beforeAll } from 'vitest'
import { converges, file, steps } from './testing/convergence.ts'

const runs = Number(process.env['CONVERGENCE_RUNS'] ?? 60)
const lab = labNamespace()
let ipvs: IpvsClient
let lived = 0
let happened = 0

beforeAll(async () => {
  ipvs = await lab.open()
})
afterAll(() => {
  ipvs.close()
  lab.remove()
  process.stdout.write(`convergence: ${lived} lives of a director with ${happened} steps on the kernel's table\n`)
})

property.prop([file, steps], { numRuns: runs })(
  "the kernel's table ends as file, overlay and health say",
  async (first, happening) => {
    await ipvs.execute([{ do: 'flush' }])
    await converges(ipvs, first, happening)
    lived++
    happened += happening.length
  },
  20_000 + runs * 2000,
)
