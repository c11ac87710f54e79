/** A7: scripts with keepalived's arguments, in order, as their user; mail with keepalived's subjects. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mailServer } from '../../../packages/director/src/testing/mail-server.ts'
import { insideNamespace, until, type LabSpec } from '../../lab/index.ts'
import { patience, scenario } from './scenario.ts'

const spec: LabSpec<'node1' | 'client'> = {
  networks: ['lan', 'other'],
  hosts: {
    node1: { links: { lan: ['192.168.10.11/24'], other: [] } },
    client: { links: { lan: ['192.168.10.10/24'] } },
  },
}
const { host, ours, held, story } = scenario(spec, ['node1'])
const vip = '192.168.10.107'

/** Root's, as script security wants it, with a file for nobody to write to. */
const folder = mkdtempSync('/run/scenario-')
afterAll(() => {
  rmSync(folder, { recursive: true })
})

test('A7 scripts run in order as nobody, and mail arrives with its subjects', async () => {
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'out'))
  chmodSync(join(folder, 'out'), 0o777)
  const said = join(folder, 'out/said')
  host('node1').writeFile(join(folder, 'notify.sh'), `#!/bin/sh\necho "$(id -un): $*" >> ${said}\n`, 0o755)
  const mail = await insideNamespace(host('client'), () => mailServer({ listen: { host: '192.168.10.10', port: 25 } }))
  const lines = (): string[] => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : [])

  const change = (text: string): string => text.replaceAll(host('node1').folder, folder)
  const director = await ours('node1', 'notify/keepalived.conf', { change })
  await held(vip, ['node1'])
  await host('node1').ip('link set eth1 down')
  await held(vip, [])
  await until('the fault was told', patience, () => lines().length >= 6, story)
  await host('node1').ip('link set eth1 up')
  await held(vip, ['node1'])
  await until('the return was told', patience, () => lines().length >= 10, story)
  expect(await director.process.stop()).toBe(0)

  const states = ['BACKUP', 'MASTER', 'FAULT', 'BACKUP', 'MASTER', 'STOP']
  expect(lines().sort()).toEqual(
    states
      .flatMap((state) => [`nobody: now_${state.toLowerCase()} VI_1`, `nobody: any INSTANCE VI_1 ${state} 100`])
      .sort(),
  )
  // Two scripts of one change run side by side; those of one change begin before those of the next.
  expect(lines().flatMap((line) => /any INSTANCE VI_1 (\w+)/.exec(line)?.slice(1) ?? [])).toEqual(states)
  await until('the last mail is here', patience, () => mail.mails.length >= states.length, story)
  const subjects = mail.mails.flatMap(({ text }) => /^Subject: (.*)$/m.exec(text)?.slice(1) ?? [])
  expect(subjects).toEqual([
    '[node1] VRRP Instance VI_1 - Entering BACKUP state',
    '[node1] VRRP Instance VI_1 - Entering MASTER state',
    '[node1] VRRP Instance VI_1 - Entering FAULT state',
    '[node1] VRRP Instance VI_1 - Entering BACKUP state',
    '[node1] VRRP Instance VI_1 - Entering MASTER state',
    '[node1] VRRP Instance VI_1 - Stopping',
  ])
  expect(mail.mails[1]).toMatchObject({ from: 'node1@example.net', to: ['ops@example.net'] })
  expect(mail.mails[1]?.text).toContain('=> VRRP Instance is now owning VRRP VIPs <=')
  await mail.close()
})
