/** `ipvs-ctl explain` of a director at work: why, why this weight, what brings it back, how long until it is noticed. */
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dr, serverNames, serveTcp, until, upLab, type Lab, type StandardHost, type TcpServer } from '../lab/index.ts'
import { startDirector, type RunningDirector } from './director.ts'

const { vip, servers } = dr()
const [first = '', second = '', third = ''] = servers.map((server) => `${server}:7`)
const service = `${vip}:7/tcp`
const config = `virtual_server ${vip} 7 {
    delay_loop 2
    lb_algo wrr
    lb_kind DR
    protocol TCP
    warmup 0
    quorum 3
    sorry_server 10.1.0.1 7
    real_server ${servers[0]} 7 { weight 3
        TCP_CHECK { connect_timeout 1
            retry 1
            delay_before_retry 1 } }
    real_server ${servers[1]} 7 { inhibit_on_failure
        TCP_CHECK { connect_timeout 1
            retry 0 } }
    real_server ${servers[2]} 7 { }
}
`

let lab: Lab<StandardHost>
let director: RunningDirector
const echoes = new Map<string, TcpServer>()

beforeAll(async () => {
  lab = await upLab(dr())
  for (const name of serverNames) echoes.set(name, await serveTcp(lab.hosts[name], { port: 7 }))
  director = await startDirector(lab.hosts.director, config)
  await turned(first, 'up')
}, 240_000)
afterAll(async () => {
  await director.process.stop()
  for (const [, echo] of echoes) echo.close('reset')
  await lab.down()
})

const turned = (server: string, state: string): Promise<unknown> =>
  until(`${server} is ${state}`, seconds(60), async () => (await director.server(server))?.state === state)

/** The answers by their questions; lines that were folded are whole again. */
async function explained(what: string): Promise<Record<string, string>> {
  const { code, stdout } = await director.ctl('explain', what, '--json')
  expect(code).toBe(0)
  const { explanations } = JSON.parse(stdout) as { explanations: { answers: { question: string; answer: string }[] }[] }
  return Object.fromEntries(explanations.flatMap(({ answers }) => answers.map((each) => [each.question, each.answer])))
}

test('a server that is up', { timeout: 120_000 }, async () => {
  expect(await explained(first)).toEqual({
    why: expect.stringMatching(/^connected to 10\.1\.0\.11:7 after .* ms, /) as string,
    'why this weight': 'weight 3 is wanted; and the kernel has it so',
    'how long until a failure is noticed':
      'TCP_CHECK: at most 3 s where it refuses, at most 5 s where it does not answer',
  })
  expect((await explained(third))['why']).toBe('it has no checks: it counts as up always')
})

test('one that fails: taken out, or inhibited', { timeout: 240_000 }, async () => {
  echoes.get('rs1')?.close('reset')
  echoes.get('rs2')?.close('reset')
  await turned(first, 'down')
  await turned(second, 'down')
  const out = await explained(first)
  expect(out['why']).toMatch(
    /^connection refused: 10\.1\.0\.11:7.*; TCP_CHECK 10\.1\.0\.11:7 failed [2-9]\d* of \d+ probes$/,
  )
  expect(out['why this weight']).toMatch(/^no entry is wanted: it is down; and the kernel has it so$/)
  expect(out['what would bring it back']).toMatch(
    /^one success of TCP_CHECK 10\.1\.0\.11:7, due (?:now|in \d s); at most \d s once it is well$/,
  )
  expect((await explained(second))['why this weight']).toMatch(
    /^weight 0 is wanted: it is down; inhibited instead of taken out/,
  )
  const all = await explained(service)
  expect(all['why']).toMatch(/alive weight 1.*quorum 3/)
  expect(all['its real servers']).toContain(`${first} is down: connection refused`)
  expect(all['who answers meanwhile']).toBe('the sorry server 10.1.0.1:7')
  // What is said brings it back does.
  echoes.set('rs1', await serveTcp(lab.hosts.rs1, { port: 7 }))
  await turned(first, 'up')
  expect((await director.server(first))?.checks[0]?.failures).toBe(0)
})

test('what was asked for by hand', { timeout: 120_000 }, async () => {
  const told = async (...words: string[]): Promise<string> => {
    expect((await director.ctl(...words)).code).toBe(0)
    return (await explained(third))['why this weight'] ?? ''
  }
  expect(await told('weight', third, '5')).toBe('weight 5 is wanted; set by hand: "ipvs-ctl reset" gives it back to the file; and the kernel has it so') // prettier-ignore
  expect(await told('disable', third)).toMatch(/^weight 0 is wanted; disabled by hand.*"ipvs-ctl enable" puts it back/)
  await director.ctl('force', 'down', third)
  expect((await explained(third))['why']).toMatch(/^it counts as down by hand/)
  expect(await told('reset')).toBe('weight 1 is wanted; and the kernel has it so')
})

test('a code, and what there is not', async () => {
  expect((await director.ctl('explain', 'W043')).stdout).toContain('W043: a quorum that can never be reached')
  const nothing = await director.ctl('explain', '10.1.0.99:7')
  expect([nothing.code, nothing.stderr]).toEqual([
    1,
    expect.stringContaining('no virtual or real server "10.1.0.99:7"'),
  ])
})
