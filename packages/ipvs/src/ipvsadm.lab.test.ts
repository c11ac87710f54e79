import { address } from '@ipvs-director/core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { IpvsClient } from './client.ts'
import { defaultDestination, defaultService, serviceOf, tableOf } from './defaults.ts'
import { diff } from './diff.ts'
import { isMark, type Destination, type ServiceKey, type Table } from './table.ts'
import * as any from './testing/arbitraries.ts'
import { labNamespace } from './testing/lab-namespace.ts'

/** Debian's ipvsadm as witness: it prints what we programmed, and we read what it programmed. */

const lab = labNamespace()
afterAll(() => {
  lab.remove()
})

let client: IpvsClient
beforeEach(async () => {
  client = await lab.open()
  await client.execute([{ do: 'flush' }])
})
afterEach(() => {
  client.close()
})

const ipvsadm = (...args: string[]): string => lab.run('ipvsadm', args)
const lines = (text: string): string[] => text.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '))

async function become(desired: Table): Promise<void> {
  const errors = await client.execute(diff(await client.table(), desired, { owned: () => true }))
  expect(errors.filter((error) => error !== undefined)).toEqual([])
}

const web: ServiceKey = { protocol: 'tcp', address: address('192.0.2.1'), port: 80 }
const four = defaultService('inet')
const six = defaultService('inet6')

const real = (text: string, more: Partial<Destination> = {}): Destination => ({
  ...defaultDestination,
  address: address(text),
  port: 80,
  ...more,
})

test('ipvsadm -Sn prints what we programmed', async () => {
  const gue = (checksum: 'none' | 'csum' | 'remcsum') => ({
    forwarding: 'tunnel' as const,
    tunnel: { type: 'gue' as const, port: 6080, checksum },
  })
  const gre = { forwarding: 'tunnel', tunnel: { type: 'gre', port: 0, checksum: 'csum' } } as const
  await become(
    tableOf([
      serviceOf(web, { persistence: 60, netmask: 0xffffff00 }, [
        real('10.0.0.2'),
        real('10.0.0.3', { forwarding: 'masq', weight: 0, port: 8080 }),
        real('10.0.0.4', { forwarding: 'tunnel', weight: 65535 }),
        real('10.0.0.5', gue('none')),
        real('10.0.0.6', gue('csum')),
        real('10.0.0.7', gue('remcsum')),
        real('10.0.0.8', gre),
        real('2001:db8::2', { forwarding: 'tunnel' }),
      ]),
      serviceOf({ ...web, port: 81 }, { scheduler: 'sh', flag1: true, flag2: true }),
      serviceOf({ ...web, port: 82 }, { scheduler: 'rr', flag1: true, flag2: true, flag3: true }),
      serviceOf({ ...web, port: 83, protocol: 'udp' }, { persistence: 5, engine: 'sip', onePacket: true }),
      serviceOf({ ...web, port: 84, protocol: 'sctp' }, { scheduler: 'mh', flag2: true }),
      serviceOf({ ...web, port: 53, address: address('2001:db8::1') }, { persistence: 9, netmask: 64 }),
      serviceOf({ fwmark: 7, family: 'inet' }, { scheduler: 'ovf' }),
      serviceOf({ fwmark: 0x7fffffff, family: 'inet6' }, { scheduler: 'fo' }),
    ]),
  )
  expect(lines(ipvsadm('-Sn')).toSorted()).toEqual(
    lines(`
      -A -t 192.0.2.1:80 -s wlc -p 60 -M 255.255.255.0
      -a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1
      -a -t 192.0.2.1:80 -r 10.0.0.3:8080 -m -w 0
      -a -t 192.0.2.1:80 -r 10.0.0.4:80 -i -w 65535 --tun-type ipip
      -a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
      -a -t 192.0.2.1:80 -r 10.0.0.6:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
      -a -t 192.0.2.1:80 -r 10.0.0.7:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
      -a -t 192.0.2.1:80 -r 10.0.0.8:80 -i -w 1 --tun-type gre --tun-csum
      -a -t 192.0.2.1:80 -r [2001:db8::2]:80 -i -w 1 --tun-type ipip
      -A -t 192.0.2.1:81 -s sh -b sh-fallback,sh-port
      -A -t 192.0.2.1:82 -s rr -b flag-1,flag-2,flag-3
      -A -u 192.0.2.1:83 -s wlc -p 5 --pe sip -o
      -A --sctp-service 192.0.2.1:84 -s mh -b mh-port
      -A -t [2001:db8::1]:53 -s wlc -p 9 -M 64
      -A -f 7 -s ovf
      -A -f 2147483647 -6 -s fo`).toSorted(),
  )
})

test('services that share an address of a real server share nothing of it: each has a weight, a flag and a life of its own', async () => {
  const keys = [web, { ...web, port: 81 }, { ...web, address: address('192.0.2.2') }] as const
  const shared = real('10.0.0.2', { weight: 3 })
  await become(tableOf(keys.map((key) => serviceOf(key, {}, [{ ...shared, port: key.port }, real('10.0.0.3')]))))
  const drained = { ...shared, weight: 0, upperThreshold: 9 }
  await client.execute([{ do: 'setDestination', service: web, destination: drained }])
  expect((await client.destinations(web)).map(({ destination }) => destination)).toContainEqual(drained)
  expect(
    ipvsadm('-Sn')
      .match(/10\.0\.0\.2:\d+ -g -w \d/g)
      ?.toSorted(),
  ).toEqual(['10.0.0.2:80 -g -w 0', '10.0.0.2:80 -g -w 3', '10.0.0.2:81 -g -w 3'])
  await client.execute([{ do: 'deleteDestination', service: web, destination: shared }])
  expect(ipvsadm('-Sn').match(/10\.0\.0\.2:\d+ -g -w \d/g)).toHaveLength(2)
})

test('we read what ipvsadm programmed', async () => {
  lab.run(
    'ipvsadm',
    ['-R'],
    `-A -t 192.0.2.1:80 -s wrr -p 300 -M 255.255.255.0
-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m -w 3 -x 100 -y 50
-a -t 192.0.2.1:80 -r 10.0.0.3 -g
-a -t 192.0.2.1:80 -r 10.0.0.4 -i --tun-type gue --tun-port 6080 --tun-remcsum
-A -u [2001:db8::1]:53 -s sh -b sh-port -o
-a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -i
-A -f 9 -6 -s mh -b mh-fallback -p 7 -M 48
`,
  )
  expect(await client.table()).toEqual(
    tableOf([
      serviceOf(web, { scheduler: 'wrr', persistence: 300, netmask: 0xffffff00 }, [
        real('10.0.0.2', { port: 8080, forwarding: 'masq', weight: 3, upperThreshold: 100, lowerThreshold: 50 }),
        real('10.0.0.3'),
        real('10.0.0.4', { forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080, checksum: 'remcsum' } }),
      ]),
      serviceOf(
        { protocol: 'udp', address: address('2001:db8::1'), port: 53 },
        { scheduler: 'sh', flag2: true, onePacket: true },
        [real('2001:db8::2', { port: 53, forwarding: 'tunnel' })],
      ),
      serviceOf({ fwmark: 9, family: 'inet6' }, { scheduler: 'mh', flag1: true, persistence: 7, netmask: 48 }),
    ]),
  )
})

test('ipvsadm shows our thresholds, methods and daemons', async () => {
  const limited = real('10.0.0.2', { upperThreshold: 0xffffffff, lowerThreshold: 7 })
  await become(tableOf([serviceOf(web, {}, [limited, real('10.0.0.3', { forwarding: 'local' })])]))
  expect(lines(ipvsadm('-Ln', '--thresholds'))).toContain('-> 10.0.0.2:80 4294967295 7 0 0')
  expect(lines(ipvsadm('-Ln'))).toEqual(
    expect.arrayContaining(['-> 10.0.0.2:80 Route 1 0 0', '-> 10.0.0.3:80 Local 1 0 0']),
  )
  const before = await client.timeouts()
  await client.setTimeouts({ tcp: 1000, tcpFin: 101, udp: 102 })
  expect(ipvsadm('-Ln', '--timeout')).toBe('Timeout (tcp tcpfin udp): 1000 101 102\n')
  await client.setTimeouts(before)
  await client.startDaemon({ state: 'master', interface: lab.device, syncId: 42, maxLength: 1400, port: 9000, ttl: 5 })
  expect(ipvsadm('-Ln', '--daemon')).toBe(
    `master sync daemon (mcast=${lab.device}, syncid=42, maxlen=1400, group=224.0.0.81, port=9000, ttl=5)\n`,
  )
  await client.stopDaemon({ state: 'master', syncId: 42 })
  expect(ipvsadm('-Ln', '--daemon')).toBe('')
})

test('we read the daemons that ipvsadm started, and stop them', async () => {
  ipvsadm('--start-daemon', 'backup', '--mcast-interface', lab.device, '--syncid', '7', '--mcast-group', 'ff02::81')
  expect(await client.daemons()).toMatchObject([
    { state: 'backup', interface: lab.device, syncId: 7, group: 'ff02::81', port: 8848, ttl: 1 },
  ])
  await client.stopDaemon({ state: 'backup', syncId: 7 })
  expect(await client.daemons()).toEqual([])
})

/**
 * What `ipvsadm -S` can say and `-R` can take: it prints marks from 2^31 on as negative numbers, knows no bypass, prints local as `-g` and no thresholds, keeps netmask
 * and engine with persistence only, forces the service's port on everything but masq.
 */
const sayable = any.table.map((table): Table => {
  const services = [...table.values()].map(({ key, settings, destinations }) => {
    const { persistence, scheduler } = settings
    const hashing = scheduler === 'sh' || scheduler === 'mh'
    const usual = isMark(key) ? defaultService(key.family) : key.address.includes(':') ? six : four
    const udp = isMark(key) || key.protocol === 'udp'
    const said = {
      ...settings,
      netmask: persistence === 0 || usual === four ? usual.netmask : settings.netmask,
      engine: persistence === 0 || !udp ? undefined : settings.engine,
      onePacket: settings.onePacket && udp,
      flag3: settings.flag3 && !hashing,
    }
    const mark = isMark(key) ? { ...key, fwmark: key.fwmark & 0x7fffffff } : key
    return serviceOf(mark, persistence === 0 && !isMark(key) && key.port === 0 ? { ...said, persistence: 60 } : said, [
      ...[...destinations.values()].map((destination) => ({
        ...destination,
        forwarding: destination.forwarding === 'tunnel' ? ('tunnel' as const) : ('masq' as const),
        port: destination.forwarding !== 'tunnel' ? destination.port : isMark(key) ? 0 : key.port,
        weight: Math.min(destination.weight, 65535),
        upperThreshold: 0,
        lowerThreshold: 0,
      })),
    ])
  })
  return tableOf(services)
})

test('any table that ipvsadm can save and restore is the same afterwards', async () => {
  const property = fc.asyncProperty(sayable, async (table) => {
    await become(table)
    const saved = ipvsadm('-Sn')
    await client.execute([{ do: 'flush' }])
    lab.run('ipvsadm', ['-R'], saved)
    expect(await client.table()).toEqual(table)
    expect(await client.audit(table)).toEqual(table)
  })
  await fc.assert(property, { numRuns: 100 })
})

test('connections and statistics of real traffic', async () => {
  await become(
    tableOf([
      serviceOf({ ...web, address: address('198.18.0.1') }, {}, [real('127.0.0.1', { forwarding: 'masq', port: 1 })]),
    ]),
  )
  lab.run('bash', ['-c', 'for i in 1 2 3; do (echo > /dev/tcp/198.18.0.1/80) 2>/dev/null; done; true'])
  const key: ServiceKey = { ...web, address: address('198.18.0.1') }
  // The kernel adds its processors' counts up every two seconds.
  const counted = async () => (await client.destinations(key))[0]?.counters.statistics.connections
  await expect.poll(counted, { timeout: 10_000 }).toBe(3n)
  const [entry] = await client.destinations(key)
  expect((await client.service(key))?.statistics).toMatchObject({ connections: 3n, inPackets: 3n })
  const seen = (await client.glance()).get('198.18.0.1:80/tcp')?.get('127.0.0.1:1')
  expect(seen).toMatchObject({ inactiveConnections: entry?.counters.inactiveConnections, weight: 1 })
  await client.zero(key)
  expect((await client.service(key))?.statistics.connections).toBe(0n)
})
