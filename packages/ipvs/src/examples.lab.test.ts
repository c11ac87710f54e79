import { enterNamespace } from '@ipvs-director/linux'
import { afterAll, expect, test } from 'vitest'
import { labNamespace } from './testing/lab-namespace.ts'

const lab = labNamespace()
afterAll(() => {
  lab.remove()
})

test('the example programs the kernel', async () => {
  enterNamespace(lab.name)
  await import('../examples/balance.ts')
  expect(lab.run('ipvsadm', ['-Sn'])).toBe(
    [
      '-A -t 192.0.2.1:80 -s wrr',
      '-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 3',
      '-a -t 192.0.2.1:80 -r 10.0.0.3:80 -g -w 1',
      '',
    ].join('\n'),
  )
})
