/** A1: one VIP on two directors, ours and Debian's keepalived, with a web server on each. */
import { describe, expect, test } from 'vitest'
import { capture, startNginx, until } from '../../lab/index.ts'
import { pair, patience, scenario } from './scenario.ts'

const vip = '192.168.10.100'
const { host, ours, theirs, held, story } = scenario(pair, ['node1', 'node2'])
const lenient = (text: string): string => text.replace('vrrp_strict\n', '\n')
const whoAnswers = async (): Promise<string> =>
  (await host('client').run(['curl', '-sS', '-m', '2', `http://${vip}/`])).stdout.trim()

describe('A1 single master', () => {
  test('A1 the VIP moves on stop and is taken back on start', async () => {
    await Promise.all([startNginx(host('node1')), startNginx(host('node2'))])
    const served = (by: string): Promise<unknown> =>
      until(`${by} serves the client`, patience, async () => (await whoAnswers()) === by, story)
    const keepalived = theirs('node2', 'single-master/backup.conf', { change: lenient })
    const director = await ours('node1', 'single-master/master.conf', { change: lenient })
    expect(director.process.stderr).toContain('only the first eight characters of auth_pass count')
    await held(vip, ['node1'])
    const shown = await host('node1').output(['ip', 'addr', 'show', 'dev', 'eth0'])
    expect(shown).toMatch(/inet 192\.168\.10\.11\/24 [^]*inet 192\.168\.10\.100\/32 scope global/)
    await served('node1')
    expect(await director.process.stop()).toBe(0)
    await held(vip, ['node2'])
    await served('node2')
    await ours('node1', 'single-master/master.conf', { change: lenient })
    await held(vip, ['node1'])
    await served('node1')
    expect(keepalived.stderr).toMatch(/Entering MASTER STATE[^]*priority[^]*Entering BACKUP STATE/)
    expect(keepalived.stderr).not.toMatch(/received an invalid|bogus|authentication/i)
  })

  test('A1 vrrp_strict as the guides paste it: told what it means, and what it does', async () => {
    theirs('node2', 'single-master/backup.conf')
    const seen = await capture(host('client'), 'vrrp')
    const director = await ours('node1', 'single-master/master.conf')
    for (const told of [
      'vrrp_strict: only an owner (priority 255) begins as MASTER; it begins as BACKUP',
      'vrrp_strict does not allow authentication',
      'vrrp_strict: the addresses do not answer, not even to ping (no_accept)',
    ])
      expect(director.process.stderr).toContain(told)
    await held(vip, ['node1'])
    // user-mode Linux of Debian has no nftables for IPv4
    if ((await host('node1').run(['nft', 'add', 'table', 'inet', 'probe'])).code === 0)
      expect(await whoAnswers()).toBe('')
    else expect(director.process.stderr).toMatch(/packets to its addresses are not dropped, .*: .*nft/)
    await until('its adverts are without a password', patience, () =>
      seen.lines().some((line) => line.includes('vrid 51, prio 100, authtype none, intvl 1s')),
    )
    await seen.stop()
    await director.process.stop()
    await held(vip, ['node2'])
  })
})
