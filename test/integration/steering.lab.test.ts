/** Virtual servers that are added and removed while connections run. */
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectFrom, dr, serveTcp, serverNames, until, upLab, weightsOf, witnessTable, type Lab, type StandardHost } from '../lab/index.ts' // prettier-ignore
import { startDirector, type RunningDirector } from './director.ts'

const { vip, servers } = dr()
const [first, second] = servers

const service = (port: number): string => `virtual_server ${vip} ${port} {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
    real_server ${first} ${port} { TCP_CHECK { connect_timeout 2 } }
    real_server ${second} ${port} { TCP_CHECK { connect_timeout 2 } }
}
`

let lab: Lab<StandardHost>
let director: RunningDirector

beforeAll(async () => {
  lab = await upLab(dr())
  for (const name of serverNames) for (const port of [7, 17]) await serveTcp(lab.hosts[name], { port })
  director = await startDirector(lab.hosts.director, service(7))
})
afterAll(async () => {
  await director.process.stop()
  await lab.down()
})

const ports = async (): Promise<string[]> =>
  (await witnessTable(lab.hosts.director)).map(({ address }) => address).sort()

test(
  'a virtual server comes, serves, survives kill -9, and goes when its connection has ended',
  { timeout: 120_000 },
  async () => {
    const { director: host, client } = lab.hosts
    const before = await connectFrom(client, vip, 7)
    const file = host.writeFile('added.conf', service(17))
    expect(await director.ctl('add-service', '--file', file)).toMatchObject({ code: 0 })
    expect(await ports()).toHaveLength(2)
    const held = await connectFrom(client, vip, 17)
    expect(await held.exchange('one')).toBe('one')

    await director.kill()
    director = await startDirector(host, service(7))
    expect(await ports()).toHaveLength(2)
    expect(await held.exchange('two')).toBe('two')

    const removed = await director.ctl('remove-service', `${vip}:17/tcp`, '--drain')
    expect(removed.stdout).toContain('draining')
    await until('no newcomer is let in', seconds(20), async () =>
      Object.values(weightsOf(await witnessTable(host), `${vip}:17`) ?? { nothing: 1 }).every((weight) => weight === 0),
    )
    expect(await held.exchange('six')).toBe('six')
    held.end()
    await until('it is gone', seconds(60), async () => (await ports()).length === 1)
    expect(await before.exchange('end')).toBe('end')
    before.end()
  },
)

test(
  'one of the file goes at once, stays away over a reload, and is back after a reset',
  { timeout: 60_000 },
  async () => {
    expect(await director.ctl('remove-service', `${vip}:7/tcp`)).toMatchObject({ code: 0 })
    expect(await ports()).toEqual([])
    await director.reload()
    expect(await ports()).toEqual([])
    expect((await director.ctl('status')).stdout).toContain(`removed by hand: virtual server ${vip}:7/tcp`)
    expect(await director.ctl('reset', `${vip}:7/tcp`)).toMatchObject({ code: 0 })
    expect(await ports()).toHaveLength(1)
  },
)
