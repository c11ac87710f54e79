/** The samples for the three forwarding methods, each at work in the lab it was written for. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isServing, startDemoDirector } from '../lab/demo/director.ts'
import {
  samples,
  serverNames,
  startNginx,
  topologies,
  upLab,
  weightsOf,
  witnessTable,
  type Lab,
  type StandardHost,
} from '../lab/index.ts'

test.for([
  ['dr', [1, 1, 1]],
  ['nat', [2, 1, 1]],
  ['tun', [3, 2, 1]],
] as const)('configs/%s/keepalived.conf serves its clients', async ([name, weights]) => {
  const topology = topologies[name]()
  const { config, port } = samples[name]
  const lab: Lab<StandardHost> = await upLab(topology)
  try {
    const { client, director } = lab.hosts
    await Promise.all(serverNames.map((server) => startNginx(lab.hosts[server], { port })))
    const running = await startDemoDirector(director, config, join(director.folder, 'state'))
    for (const server of topology.servers) await running.untilServer(server, isServing)
    const witnessed = weightsOf(await witnessTable(director), `${topology.vip}:80`)
    expect(witnessed).toEqual(
      Object.fromEntries(topology.servers.map((server, index) => [`${server}:${port}`, weights[index]])),
    )
    const answer = await client.output(['curl', '-sS', '-m', '5', `http://${topology.vip}/`])
    expect(serverNames).toContain(answer.trim())
    expect(await running.process.stop('SIGTERM')).toBe(0)
  } finally {
    await lab.down()
  }
})
