/**
 * Connections through a server that nobody touches, while everything around it changes: reloads, restarts, kill -9. The
 * figures are small here; TURMOIL=1 makes it 200 reloads, 50 restarts and 50 kills.
 */
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectFrom, converse, dr, keepVisiting, serverNames, serveTcp, until, upLab, weightsOf, witnessTable, type Lab, type LongConnection, type StandardHost } from '../lab/index.ts' // prettier-ignore
import { startDirector, type RunningDirector } from './director.ts'

const large = process.env['TURMOIL'] === '1'
const rounds = large ? { reloads: 200, restarts: 50, kills: 50 } : { reloads: 12, restarts: 2, kills: 2 }
const { vip, servers } = dr()
const [untouched, ...others] = servers

/** The first server stays as it is; the others come, go and weigh something else each time. */
const config = (round: number): string => `global_defs {
    reconcile_interval 5
}
virtual_server ${vip} 7 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    warmup 0
    drain_on_removal 10
    real_server ${untouched} 7 { TCP_CHECK { connect_timeout 2\n retry 3 } }
${others
  .filter((_, i) => (round >> i) % 2 === 0)
  .map(
    (server, i) => `    real_server ${server} 7 { weight ${1 + ((round + i) % 5)}\n TCP_CHECK { connect_timeout 2 } }`,
  )
  .join('\n')}
}
`

let lab: Lab<StandardHost>
let director: RunningDirector

beforeAll(async () => {
  lab = await upLab(dr())
  for (const name of serverNames) await serveTcp(lab.hosts[name], { port: 7 })
  director = await startDirector(lab.hosts.director, config(0))
})
afterAll(async () => {
  await director.process.stop()
  await lab.down()
})

/** Connections through the untouched server, each with the next number it is to hear. */
async function throughUntouched(count: number): Promise<LongConnection[]> {
  const { director: host } = lab.hosts
  // Alone in the table for a moment, it gets them all.
  await host.output(['ipvsadm', '-R'], {
    input: others.map((server) => `-e -t ${vip}:7 -r ${server}:7 -g -w 0\n`).join(''),
  })
  const open: LongConnection[] = []
  for (let i = 0; i < count; i++) open.push(await connectFrom(lab.hosts.client, vip, 7))
  return open
}

test(
  'no connection through an untouched server breaks, and new ones are served all the time',
  { timeout: large ? 1_500_000 : 240_000 },
  async () => {
    const open = await throughUntouched(10)
    const talk = converse(open)
    const visits = keepVisiting(lab.hosts.client, vip, 7)
    let round = 0
    for (let i = 0; i < rounds.reloads; i++) {
      director.write(config(++round))
      expect(await director.reload()).toMatchObject({ ok: true })
    }
    for (let i = 0; i < rounds.restarts; i++) {
      expect((await director.ctl('stop', '--keep')).code).toBe(0)
      await director.process.ended
      director = await startDirector(lab.hosts.director, config(++round))
    }
    for (let i = 0; i < rounds.kills; i++) {
      await director.kill()
      director = await startDirector(lab.hosts.director, config(++round))
    }
    await until('the table is as the last file says', seconds(20), async () => {
      const weights = weightsOf(await witnessTable(lab.hosts.director), `${vip}:7`)
      return weights?.[`${untouched}:7`] === 1
    })
    await talk.stop()
    await visits.stop()
    for (const connection of open) connection.end()
    const { served, refused, cut } = visits
    console.log(
      `turmoil: ${round} changes, ${talk.exchanges} exchanges on ${open.length} connections, ${served} visits, ${refused} refused, ${cut} cut`,
    )
    expect(talk.broken).toEqual([])
    expect(served).toBeGreaterThan(round)
    expect(refused).toBe(0)
    // On its way to a server that a start with another file removed at that moment.
    expect(cut).toBeLessThanOrEqual(rounds.restarts + rounds.kills)
  },
)
