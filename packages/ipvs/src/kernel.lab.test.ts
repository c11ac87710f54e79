import { afterAll } from 'vitest'
import { ipvsContract } from './testing/contract.ts'
import { labNamespace } from './testing/lab-namespace.ts'

const lab = labNamespace()
afterAll(() => {
  lab.remove()
})

ipvsContract('the kernel', async () => ({ client: await lab.open(), device: lab.device }), { runs: 300 })
