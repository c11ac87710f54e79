/** lvs_flush and lvs_flush_on_stop, whose variants keepalived.conf(5) has. */
import type { Globals } from '@ipvs-director/config'
import { memoryIpvs } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import { config, realServer, virtualServer } from './testing/config.ts'
import { world } from './testing/world.ts'

const web = virtualServer({ realServers: [realServer('10.0.0.1:80')] })
const own = '192.0.2.1:80/tcp'
const other = 'fwmark 9/inet'

/** What is in the table while it runs, after a reload with somebody else's service, and after the end. */
async function life(globals: Partial<Globals>): Promise<string[][]> {
  const ipvs = memoryIpvs()
  const foreign = { do: 'addService', key: { fwmark: 9, family: 'inet' }, settings: { scheduler: 'rr', persistence: 0, netmask: 0xffffffff, engine: undefined, onePacket: false, flag1: false, flag2: false, flag3: false } } as const // prettier-ignore
  await ipvs.execute([foreign])
  const w = world(config([web], globals), { ipvs })
  const ids = async (): Promise<string[]> => [...(await ipvs.table()).keys()].sort()
  await w.director.start()
  const running = await ids()
  await ipvs.execute([foreign])
  await w.director.reload()
  const later = await ids()
  await w.director.stop({ keep: false })
  return [running, later, await ids()]
}

test.each<[string, Partial<Globals>, string[][]]>([
  ['neither: what is ours goes at the end', {}, [[own, other], [own, other], [other]]],
  ['lvs_flush: everything goes at the start, nothing at a reload', { lvsFlush: true }, [[own], [own, other], [other]]],
  ['lvs_flush_on_stop: everything goes at the end', { lvsFlushOnStop: 'all' }, [[own, other], [own, other], []]],
  [
    'lvs_flush_on_stop VS: what is ours goes at the end',
    { lvsFlushOnStop: 'VS' },
    [[own, other], [own, other], [other]],
  ],
])('%s', async (_, globals, wanted) => {
  expect(await life(globals)).toEqual(wanted)
})
