/** BFD_CHECK with FRR's bfdd at the other end of a link. */
import { checkId, type Report } from '@ipvs-director/checkers'
import { createEngine } from '@ipvs-director/checkers/probing'
import type { CheckTiming } from '@ipvs-director/config'
import { address, millis, seconds, systemClock } from '@ipvs-director/core'
import { chmodSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { insideNamespace } from '../lab/namespace.ts'
import { upLab, until, type Host, type LabProcess } from '../lab/index.ts'
import { findProgram } from '../lab/tools.ts'

const programs = { zebra: findProgram('zebra'), bfdd: findProgram('bfdd') }
const lacks =
  programs.zebra === undefined || programs.bfdd === undefined
    ? 'FRR is not installed here (Debian: frr)'
    : /^frrvty:/m.test(readFileSync('/etc/group', 'utf8'))
      ? undefined
      : 'FRR is only unpacked here: the accounts that its programs become are missing'
if (lacks !== undefined) console.warn(`BFD_CHECK is not tried against FRR: ${lacks}`)

const bfdd = `bfd
 peer 10.77.0.1 local-address 10.77.0.2 interface eth0
  detect-multiplier 3
  receive-interval 50
  transmit-interval 50
  no shutdown
`

const timing: CheckTiming = {
  delayLoop: seconds(1),
  retry: 0,
  delayBeforeRetry: seconds(1),
  warmup: millis(0),
  timeout: seconds(1),
  alpha: true,
  logAllFailures: false,
}

const session = {
  neighbor: address('10.77.0.2'),
  source: address('10.77.0.1'),
  settings: { minTx: millis(50), minRx: millis(50), idleTx: seconds(1), multiplier: 3, passive: false },
  ttl: 255,
  maxHops: 0,
  multihop: false,
}

test('up with bfdd, down when it dies or the link does', async ({ skip }) => {
  skip(lacks !== undefined, lacks)
  const lab = await upLab({
    networks: ['lan'],
    hosts: { us: { links: { lan: ['10.77.0.1/24'] } }, them: { links: { lan: ['10.77.0.2/24'] } } },
  })
  const reports: Report[] = []
  const engine = createEngine({
    clock: systemClock,
    events: { report: (report) => reports.push(report), trouble: (message) => console.warn(message) },
  })
  const turned = async (count: number): Promise<Report | undefined> => {
    await until(`${count} reports`, seconds(20), () => reports.length >= count)
    return reports[count - 1]
  }
  try {
    const { us, them } = lab.hosts
    startFrr(them, 'zebra', '')
    const first = startFrr(them, 'bfdd', bfdd)
    const id = checkId('BFD_CHECK', undefined, session, timing)
    const initial = { up: false, unproven: true, seen: false }
    await insideNamespace(us, async () => {
      engine.setChecks([{ id, kind: 'BFD_CHECK', connection: undefined, options: session, timing, initial }])
      await new Promise((resolve) => setTimeout(resolve, 100))
    })
    await until('the session is up', seconds(20), () => reports.at(-1)?.up === true)
    const before = reports.length
    await first.stop('SIGKILL')
    expect(await turned(before + 1)).toMatchObject({ up: false, verdict: { class: 'timeout' } })
    startFrr(them, 'bfdd', bfdd)
    expect(await turned(before + 2)).toMatchObject({ up: true })
    await them.ip('link set eth0 down')
    // On a busy machine the session may go down and up by itself meanwhile; then the class tells of that.
    await until('the session is down', seconds(20), () => reports.at(-1)?.up === false)
  } finally {
    await engine.stop()
    await lab.down()
  }
})

/** FRR's programs become user frr, who must be able to write where their sockets are. */
function startFrr(host: Host, name: 'zebra' | 'bfdd', config: string): LabProcess {
  chmodSync(dirname(host.folder), 0o711)
  chmodSync(host.folder, 0o777)
  const file = host.writeFile(`${name}.conf`, config)
  const common = ['-z', `${host.folder}/zserv.api`, '-i', `${host.folder}/${name}.pid`, '-f', file]
  const own = name === 'bfdd' ? ['--bfdctl', `${host.folder}/bfdd.sock`] : []
  return host.spawn([programs[name] ?? name, ...common, ...own, '--vty_socket', host.folder, '-A', '127.0.0.1'])
}
