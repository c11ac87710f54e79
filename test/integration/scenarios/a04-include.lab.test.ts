/** A4: a configuration in several files, and labels that ip addr shows. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../lab/index.ts'
import { directorCommand } from '../director.ts'
import { pair, scenario } from './scenario.ts'

const { host, ours, held } = scenario(pair, ['node1', 'node2'])

test('A4 the included instances work, with their labels; a broken file is named with its own line', async () => {
  const node1 = host('node1')
  cpSync(join(root, 'configs/include'), node1.folder, { recursive: true })
  const director = await ours('node1', 'include/keepalived.conf')
  await held('192.168.10.104', ['node1'])
  await held('192.168.10.105', ['node1'])
  const shown = await node1.output(['ip', 'addr', 'show', 'dev', 'eth0'])
  expect(shown).toMatch(/inet 192\.168\.10\.104\/24 .*eth0:0$/m)
  expect(shown).toMatch(/inet 192\.168\.10\.105\/24 .*eth0:1$/m)

  node1.writeFile('conf.d/more.conf', 'vrrp_instance more {\n    interface eth0\n    virtual_router_id 300\n}\n')
  const checked = await node1.run([...directorCommand, '-t', '-f', director.file])
  expect(checked.code).not.toBe(0)
  expect(checked.stderr).toMatch(/conf\.d\/more\.conf:3:23: 300 is out of range/)
  await director.reload()
  await held('192.168.10.104', ['node1'])
  expect(director.process.stderr).toMatch(/conf\.d\/more\.conf:3:/)
})
