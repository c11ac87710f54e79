/** A13: everything a virtual server can be told, in the kernel's table or by its effect. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { mailServer } from '../../../packages/director/src/testing/mail-server.ts'
import { capture, certificate, insideNamespace, root, serveHttp, serveTcp, until, weightsOf, witnessTable, type LabSpec } from '../../lab/index.ts' // prettier-ignore
import { patience, scenario } from './scenario.ts'

type Name = 'director' | 'rs1' | 'rs2' | 'rs3'
const forward = { 'net.ipv4.ip_forward': 1 }
const spec: LabSpec<Name> = {
  networks: ['lan'],
  hosts: {
    director: { links: { lan: ['192.168.10.11/24', '192.168.10.14/24'] }, sysctls: forward },
    rs1: { links: { lan: ['192.168.10.21/24'] } },
    rs2: { links: { lan: ['192.168.10.22/24'] } },
    rs3: { links: { lan: ['192.168.10.23/24'] } },
  },
}
const { host, ours, story } = scenario(spec, ['director'])
const table = () => witnessTable(host('director'))

describe('A13 a full virtual server', () => {
  test('A13 every scheduler, every method, TCP, UDP and SCTP are in the kernel’s table', async () => {
    const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'dh', 'sed', 'nq', 'mh', 'fo', 'ovf']
    const methods = [['NAT', 'Masq'], ['DR', 'Route'], ['TUN', 'Tunnel']] as const // prettier-ignore
    const wishes = [
      ...schedulers.map((algorithm) => ({ algorithm, kind: 'DR', forward: 'Route', protocol: 'TCP' })),
      ...['TCP', 'UDP', 'SCTP'].flatMap((protocol) => methods.map(([kind, shown]) => ({ algorithm: 'rr', kind, forward: shown, protocol }))), // prettier-ignore
    ]
    const service = ({ algorithm, kind, protocol }: (typeof wishes)[number], index: number): string => `
virtual_server 192.168.10.120 ${8000 + index} {
    lb_algo ${algorithm}
    lb_kind ${kind}
    protocol ${protocol}
    real_server 192.168.10.21 ${8000 + index} {
        weight 1
    }
}
`
    await ours('director', 'full/keepalived.conf', { change: () => wishes.map(service).join('') })
    const shown = (await table()).map(({ protocol, address, scheduler, destinations }) => [protocol, address, scheduler, destinations.map((each) => each.forward)].join(' ')) // prettier-ignore
    const wanted = wishes.map(({ protocol, algorithm, forward: as }, index) => `${protocol} 192.168.10.120:${8000 + index} ${algorithm} ${as}`) // prettier-ignore
    expect(shown.sort()).toEqual(wanted.sort())
  })

  const folder = mkdtempSync('/run/scenario-')
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('A13 checks, quorum, scripts, sorry server and limits have their effects', async () => {
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'out'))
    chmodSync(join(folder, 'out'), 0o777)
    const said = join(folder, 'out/said')
    writeFileSync(join(folder, 'said.sh'), `echo "$(id -un): $*" >> ${said}\n`, { mode: 0o755 })
    const lines = (): string[] => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : [])
    const isSaid = (line: string): Promise<unknown> =>
      until(`a script says ${line}`, patience, () => lines().includes(`nobody: ${line}`), () => `${lines().join('\n')}\n${story()}`) // prettier-ignore
    const shows = (service: string, weights: Record<string, number>): Promise<unknown> =>
      until(`ipvsadm shows ${service} ${JSON.stringify(weights)}`, patience, async () => {
        const found = weightsOf(await table(), service) ?? {}
        return JSON.stringify(Object.entries(found).sort()) === JSON.stringify(Object.entries(weights).sort())
      }, story) // prettier-ignore

    const page = { body: 'welcome\n' }
    const plain = await serveHttp(host('rs1'), { answer: page })
    const secure = await serveHttp(host('rs1'), { answer: page, tls: certificate('www.example.net') })
    const probed = await serveTcp(host('rs2'), { port: 8080 })
    const smtp = await insideNamespace(host('rs2'), () => mailServer({ listen: { host: '0.0.0.0', port: 25 } }))
    const sorry = await serveHttp(host('rs3'), {})
    const seen = await capture(host('rs2'), 'tcp port 8080')
    const seenToo = await capture(host('rs1'), 'tcp port 80')

    const change = (text: string): string => text.replaceAll(host('director').folder, folder)
    const director = await ours('director', 'full/keepalived.conf', { change })
    // digest: what our own genhash prints
    const ctl = join(root, 'build/ipvs-ctl.js')
    const hash = await host('director').output(['node', ctl, 'genhash', '-s', '192.168.10.21', '-p', '80', '-u', '/'])
    expect(hash.trim()).toBe(/digest (\w+)/.exec(readFileSync(director.file, 'utf8'))?.[1])
    const requests = plain.requests.length

    // alpha: down until checked; ha_suspend: not checked before the address is here. The sorry server stands in.
    for (const service of ['192.168.10.120:80', '192.168.10.121:80', '192.168.10.122:80', '5'])
      await shows(service, { '192.168.10.23:80': 1, '192.168.10.21:80': 0 })
    await shows('192.168.10.120:443', { '192.168.10.21:443': 1 })
    await shows('192.168.10.120:25', { '192.168.10.22:25': 1 })
    await shows('192.168.10.120:53', { '192.168.10.22:53': 1 })
    await until('SMTP_CHECK has greeted', patience, () => smtp.commands.includes('EHLO director1.example.net') || smtp.commands.includes('HELO director1.example.net'), story) // prettier-ignore
    expect(plain.requests).toHaveLength(requests)
    await host('director').ip('addr add 192.168.10.120/24 dev eth0')
    for (const service of ['192.168.10.120:80', '192.168.10.121:80', '192.168.10.122:80', '5'])
      await shows(service, { '192.168.10.21:80': 3, '192.168.10.22:80': 2 })
    for (const line of ['rs1_up', 'rs2_up', 'quorum_up']) await isSaid(line)
    expect(plain.requests.at(-1)).toMatchObject({ line: 'GET /', host: 'www.example.net' })
    const adverted = (await table()).find(({ address }) => address === '192.168.10.120:80')
    expect(adverted).toMatchObject({ scheduler: 'wrr', flags: 'persistent 60 mask 255.255.255.0' })
    expect(await host('director').output(['ipvsadm', '-Ln', '--thresholds'])).toMatch(/192\.168\.10\.21:80 +100 +50/)

    // bindto, bind_port, connect_port
    expect((await seen.stop()).join('\n')).toMatch(/IP 192\.168\.10\.11\.40022 > 192\.168\.10\.22\.8080: Flags \[S\]/)
    expect((await seenToo.stop()).join('\n')).toMatch(/IP 192\.168\.10\.14\.\d+ > 192\.168\.10\.21\.80: Flags \[S\]/)

    // fwmark: marked packets go astray, and inhibit_on_failure keeps the server at weight 0
    await host('director').ip('route add default via 192.168.10.23 table 100', 'rule add fwmark 7 lookup 100')
    await shows('192.168.10.120:80', { '192.168.10.21:80': 0, '192.168.10.22:80': 2 })
    await isSaid('rs1_down')
    // 2 - hysteresis 1: the quorum is lost below 1
    probed.close('reset')
    await isSaid('rs2_down')
    await isSaid('quorum_down')
    await shows('192.168.10.120:80', { '192.168.10.21:80': 0, '192.168.10.23:80': 1 })
    await host('director').ip('rule del fwmark 7 lookup 100')
    await shows('192.168.10.120:80', { '192.168.10.21:80': 3 })

    // another page, a certificate server that is gone, mail refused, a script that fails
    secure.answer = { body: 'something else\n' }
    await smtp.close()
    writeFileSync(join(folder, 'no-dns'), '')
    await shows('192.168.10.120:443', {})
    await shows('192.168.10.120:25', {})
    await shows('192.168.10.120:53', {})

    // omega: the end is told
    const ends = (): number => lines().filter((line) => /rs1_down|quorum_down/.test(line)).length
    const before = ends()
    expect(await director.process.stop()).toBe(0)
    await until('the scripts have ended', patience, () => ends() === before + 2, () => `${lines().join('\n')}\n${story()}`) // prettier-ignore
    expect(await table()).toEqual([])
    await Promise.all([plain.close(), secure.close(), sorry.close()])
  })
})
