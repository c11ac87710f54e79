/** Our AgentX sub-agent under Debian's snmpd, asked by Debian's snmpwalk; its traps caught on a UDP socket. */
import { systemClock } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSnmp, type Snmp } from '../../packages/director/src/snmp/snmp.ts'
import { realServer, sorryServer, virtualServer } from '../../packages/director/src/testing/config.ts'
import { snmpSnapshot } from '../../packages/director/src/testing/snmp-snapshot.ts'
import { findProgram, toolEnvironment } from '../lab/tools.ts'

const snmpd = findProgram('snmpd')
const walker = findProgram('snmpbulkwalk')
const there = snmpd !== undefined && walker !== undefined
const base = '.1.3.6.1.4.1.9586.100.5'
const env = { ...toolEnvironment(), MIBS: '', LC_ALL: 'C' }

const service = virtualServer({
  realServers: Array.from({ length: 20 }, (_, i) => realServer(`10.0.0.${i + 2}:80`)),
  sorryServer: sorryServer('10.0.0.99:80'),
})
const { config, status } = snmpSnapshot([service, virtualServer({ name: 'fwmark 7/inet', target: { kind: 'fwmark', fwmark: 7, family: 'inet' } })]) // prettier-ignore

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve)
  })
  const { port } = socket.address()
  await new Promise<void>((resolve) => {
    socket.close(() => {
      resolve()
    })
  })
  return port
}

describe.skipIf(!there)('under snmpd (skipped without Debian’s snmpd and snmp)', () => {
  let folder: string
  let daemon: ChildProcess
  let port: number
  let snmp: Snmp
  let catcher: Socket
  const traps: Buffer[] = []
  const logger = arrayLogger()

  /** `snmpbulkwalk -On`: a line per value. */
  async function walk(oid: string, program = 'snmpbulkwalk', ...more: string[]): Promise<string[]> {
    const args = ['-v2c', '-c', 'public', '-On', '-t', '10', '-r', '0', `127.0.0.1:${port}`, oid, ...more]
    const { stdout } = await promisify(execFile)(findProgram(program) ?? program, args, { env: { ...env, SNMP_PERSISTENT_DIR: folder } }) // prettier-ignore
    return stdout.trim().split(/ *\n/)
  }
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  const startMaster = (): void => {
    const args = ['-f', '-LE', '3', '-C', '-c', join(folder, 'conf'), `udp:127.0.0.1:${port}`]
    daemon = spawn(snmpd ?? '', args, { env: { ...env, SNMP_PERSISTENT_DIR: folder }, stdio: 'ignore' })
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'snmpd-'))
    port = await freePort()
    catcher = createSocket('udp4')
    catcher.on('message', (data) => void traps.push(data))
    await new Promise<void>((resolve) => {
      catcher.bind(0, '127.0.0.1', resolve)
    })
    const conf = join(folder, 'conf')
    const lines = ['master agentx', `agentXSocket ${folder}/master`, 'rocommunity public 127.0.0.1', 'rwcommunity private 127.0.0.1', `trap2sink 127.0.0.1:${catcher.address().port} public`] // prettier-ignore
    writeFileSync(conf, `${lines.join('\n')}\n`)
    startMaster()
    snmp = createSnmp({ status: () => Promise.resolve(status), clock: systemClock, logger, enable: false, socket: join(folder, 'master') }) // prettier-ignore
    snmp.apply(config)
    await until(() => snmp.connected)
  }, 30_000)
  afterAll(async () => {
    snmp.stop()
    catcher.close()
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill()
    await ended
    rmSync(folder, { recursive: true })
  })

  test('the globals', async () => {
    const lines = await walk(`${base}.1`)
    expect(lines).toContain(`${base}.1.1.0 = STRING: "ipvs-director 0.1.0"`)
    expect(lines).toContain(`${base}.1.2.0 = STRING: "LVS_1"`)
  })

  test('the table of virtual servers, in both ways of walking', async () => {
    const bulk = await walk(`${base}.3.3`)
    expect(bulk).toContain(`${base}.3.3.1.2.1 = INTEGER: 2`)
    expect(bulk).toContain(`${base}.3.3.1.4.2 = Gauge32: 7`)
    expect(bulk).toContain(`${base}.3.3.1.6.1 = Hex-STRING: C0 00 02 01`)
    expect(bulk).toContain(`${base}.3.3.1.30.1 = Counter64: 9000000000`)
    expect(await walk(`${base}.3.3`, 'snmpwalk')).toEqual(bulk)
  })

  test('the sorry server, then all real servers, one by one too', async () => {
    const ports = await walk(`${base}.3.4.1.5`)
    expect(ports).toHaveLength(21)
    expect(ports.at(-1)).toBe(`${base}.3.4.1.5.1.21 = Gauge32: 80`)
    expect(await walk(`${base}.3.4.1.2.1.1`, 'snmpget')).toEqual([`${base}.3.4.1.2.1.1 = INTEGER: 2`])
    expect(await walk(`${base}.3.4.1.2.1.99`, 'snmpget')).toEqual([`${base}.3.4.1.2.1.99 = No Such Instance currently exists at this OID`]) // prettier-ignore
  })

  test('nothing can be written', async () => {
    const args = ['-v2c', '-c', 'private', '-On', `127.0.0.1:${port}`, `${base}.3.4.1.7.1.1`, 'i', '5']
    await expect(promisify(execFile)(findProgram('snmpset') ?? 'snmpset', args, { env: { ...env, SNMP_PERSISTENT_DIR: folder } })).rejects.toThrow(/notWritable/) // prettier-ignore
  })

  test('a trap arrives, with its name', async () => {
    snmp.tell({ kind: 'quorum', service, up: false, threshold: 1, aliveWeight: 0, at: 0 })
    // 1.3.6.1.4.1.9586.100.5.3.5.0.2 in BER
    const name = Buffer.from('2b06010401ca72640503050002', 'hex')
    await until(() => traps.some((trap) => trap.includes(name)))
  })

  test('a master that is restarted is served again, and hears what was told meanwhile', async () => {
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill()
    await ended
    await until(() => !snmp.connected)
    traps.length = 0
    snmp.tell({ kind: 'quorum', service, up: true, threshold: 1, aliveWeight: 1, at: 0 })
    startMaster()
    const name = Buffer.from('2b06010401ca72640503050002', 'hex')
    await until(() => traps.some((trap) => trap.includes(name)))
    expect(await walk(`${base}.1.2`)).toEqual([`${base}.1.2.0 = STRING: "LVS_1"`])
  })

  test('nothing went wrong meanwhile', () => {
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
