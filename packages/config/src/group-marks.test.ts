import { expect, test } from 'vitest'
import { withGroupMarks, type GivenMarks } from './group-marks.ts'
import { loadText } from './testing/load-text.ts'

const group = (name: string, lines: string): string => `virtual_server_group ${name} {\n${lines}\n}\n`
const vs = (header: string, protocol = 'TCP'): string =>
  `virtual_server ${header} {\n lb_algo rr\n lb_kind DR\n protocol ${protocol}\n real_server 10.0.0.1 80 {\n }\n}\n`
const globals = 'global_defs {\n nftables_ipvs\n nftables_ipvs_start_fwmark 50\n}\n'
const two = group('a', '192.0.2.1-2 80\nfwmark 51') + group('b', '192.0.2.9 53')

async function marksOf(text: string, given: GivenMarks = new Map()): Promise<Record<string, readonly string[]>> {
  const { config } = await loadText(text)
  if (config === undefined) throw new Error('nothing was loaded')
  const { virtualServers } = withGroupMarks(config, given)
  return Object.fromEntries(
    virtualServers.map(({ name, target }) => [
      name,
      (target.kind === 'group' ? target.entries : [target]).map((entry) =>
        entry.kind === 'fwmark' ? `${entry.fwmark} ${entry.family}` : `${entry.address}:${entry.port}`,
      ),
    ]),
  )
}

test('a mark for each group and protocol, in the order of the file, and none that somebody has', async () => {
  const all = globals + two + vs('group a') + vs('group b', 'UDP') + vs('group b') + vs('192.0.2.20 80')
  expect(await marksOf(all)).toEqual({
    'group a/tcp': ['51 inet', '50 inet'],
    'group b/udp': ['52 inet'],
    'group b/tcp': ['53 inet'],
    '192.0.2.20:80/tcp': ['192.0.2.20:80'],
  })
  expect(await marksOf(all.replace('nftables_ipvs\n', ''))).toMatchObject({ 'group b/udp': ['192.0.2.9:53'] })
})

test('what has a mark keeps it, and the same virtual server stays the same object', async () => {
  const given: GivenMarks = new Map()
  await marksOf(globals + two + vs('group b'), given)
  expect(await marksOf(globals + two + vs('group a') + vs('group b'), given)).toEqual({
    'group a/tcp': ['51 inet', '52 inet'],
    'group b/tcp': ['50 inet'],
  })
  const { config } = await loadText(globals + two + vs('group b'))
  const [first, again] = [1, 2].map(() => config && withGroupMarks(config, given).virtualServers[0])
  expect(first).toBe(again)
  expect(first?.target).toMatchObject({ marking: { mark: 50, addresses: [{ address: '192.0.2.9', port: 53 }] } })
})
