/** A13: what a virtual server can be told, option by option, as Debian's ipvsadm prints it from the kernel's table. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { upLab, type Lab, type LabSpec } from '../../lab/index.ts'
import { startDirector, type RunningDirector } from '../director.ts'

const spec: LabSpec<'director'> = {
  networks: ['lan'],
  hosts: { director: { links: { lan: ['10.9.0.1/24', 'fd09::1/64'] } } },
}

/** A virtual server, and its lines in `ipvsadm -Sn`: those of its services and of nobody else. */
interface Row {
  readonly what: string
  readonly text: string
  readonly shown: readonly string[]
}

/** Real servers without a check are up from the start. */
const real = (at: string, body = ''): string => `real_server ${at} {\n ${body}\n }`
const vs = (header: string, ...body: readonly string[]): string => `virtual_server ${header} {\n${body.join('\n')}\n}`
const tcp = (vip: string, ...body: readonly string[]): string => vs(vip, 'protocol TCP', ...body)

const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'sh', 'mh', 'dh', 'fo', 'ovf', 'sed', 'nq']

/** One service each; `settings` as ipvsadm prints them after `-A -t VIP`. */
function oneServer(what: string, port: number, lines: string, settings: string): Row {
  const at = `192.0.2.1:${port}`
  return {
    what,
    text: tcp(`192.0.2.1 ${port}`, lines, 'lb_kind DR', real(`10.9.0.21 ${port}`)),
    shown: [`-A -t ${at} ${settings}`, `-a -t ${at} -r 10.9.0.21:${port} -g -w 1`],
  }
}

/** One destination each; `method` as ipvsadm prints it. */
function oneMethod(what: string, port: number, kind: string, method: string): Row {
  const at = `192.0.2.2:${port}`
  return {
    what,
    text: tcp(`192.0.2.2 ${port}`, 'lb_algo rr', `lb_kind ${kind}`, real(`10.9.0.21 ${port}`)),
    shown: [`-A -t ${at} -s rr`, `-a -t ${at} -r 10.9.0.21:${port} ${method}`],
  }
}

const rows: readonly Row[] = [
  ...schedulers.map((name, i) => oneServer(`scheduler ${name}`, 100 + i, `lb_algo ${name}`, `-s ${name}`)),
  oneServer('sh-port', 200, 'lb_algo sh\nsh-port', '-s sh -b sh-port'),
  oneServer('sh-fallback', 201, 'lb_algo sh\nsh-fallback', '-s sh -b sh-fallback'),
  oneServer('mh-port', 202, 'lb_algo mh\nmh-port', '-s mh -b mh-port'),
  oneServer('mh-fallback', 203, 'lb_algo mh\nmh-fallback\nmh-port', '-s mh -b mh-fallback,mh-port'),
  oneServer('flag-1', 204, 'lb_algo rr\nflag-1', '-s rr -b flag-1'),
  oneServer('flag-2', 205, 'lb_algo rr\nflag-2', '-s rr -b flag-2'),
  oneServer('flag-3', 206, 'lb_algo rr\nflag-3', '-s rr -b flag-3'),
  oneServer('all flags', 207, 'lb_algo wlc\nflag-1\nflag-2\nflag-3', '-s wlc -b flag-1,flag-2,flag-3'),
  oneServer('hashed changes nothing', 208, 'lb_algo dh\nhashed', '-s dh'),
  oneServer('persistence', 210, 'lb_algo rr\npersistence_timeout 50', '-s rr -p 50'),
  oneServer('persistence without a number', 211, 'lb_algo rr\npersistence_timeout', '-s rr -p 360'),
  oneServer('granularity', 212, 'lb_algo rr\npersistence_timeout 50\npersistence_granularity 255.255.240.0', '-s rr -p 50 -M 255.255.240.0'), // prettier-ignore
  oneServer('granularity alone', 213, 'lb_algo rr\npersistence_granularity 255.255.255.0', '-s rr -p 360 -M 255.255.255.0'), // prettier-ignore
  {
    what: 'port 0 is persistent',
    text: tcp('192.0.2.3 0', 'lb_algo rr', 'lb_kind DR', real('10.9.0.21 0')),
    shown: ['-A -t 192.0.2.3:0 -s rr -p 360', '-a -t 192.0.2.3:0 -r 10.9.0.21:0 -g -w 1'],
  },
  {
    what: 'granularity of IPv6',
    text: tcp('fd09::100 80', 'lb_algo rr', 'lb_kind DR', 'persistence_timeout 70', 'persistence_granularity 56', real('fd09::21 80')), // prettier-ignore
    shown: ['-A -t [fd09::100]:80 -s rr -p 70 -M 56', '-a -t [fd09::100]:80 -r [fd09::21]:80 -g -w 1'],
  },
  {
    what: 'engine sip',
    text: vs('192.0.2.3 5060', 'protocol UDP', 'lb_algo rr', 'persistence_timeout 60', 'persistence_engine sip', 'ops', real('10.9.0.21 5060')), // prettier-ignore
    shown: ['-A -u 192.0.2.3:5060 -s rr -p 60 --pe sip -o', '-a -u 192.0.2.3:5060 -r 10.9.0.21:5060 -m -w 1'],
  },
  {
    what: 'one packet, UDP without being told',
    text: vs('192.0.2.3 53', 'lb_algo rr', 'lb_kind NAT', 'ops', real('10.9.0.21 5353', 'weight 7')),
    shown: ['-A -u 192.0.2.3:53 -s rr -o', '-a -u 192.0.2.3:53 -r 10.9.0.21:5353 -m -w 7'],
  },
  {
    what: 'SCTP',
    text: vs('192.0.2.3 36412', 'protocol SCTP', 'lb_algo rr', 'lb_kind DR', real('10.9.0.21 36412')),
    shown: ['-A --sctp-service 192.0.2.3:36412 -s rr', '-a --sctp-service 192.0.2.3:36412 -r 10.9.0.21:36412 -g -w 1'],
  },
  {
    what: 'mark',
    text: vs('fwmark 7', 'lb_algo wlc', 'lb_kind DR', real('10.9.0.21 80')),
    shown: ['-A -f 7 -s wlc', '-a -f 7 -r 10.9.0.21:0 -g -w 1'],
  },
  {
    what: 'mark of IPv6, by its servers',
    text: vs('fwmark 8', 'lb_algo wlc', 'lb_kind DR', real('fd09::21 80')),
    shown: ['-A -f 8 -6 -s wlc', '-a -f 8 -6 -r [fd09::21]:0 -g -w 1'],
  },
  {
    what: 'mark, family told, servers of another by tunnel',
    text: vs('fwmark 9', 'ip_family inet', 'lb_algo wlc', 'lb_kind TUN', real('fd09::21 80')),
    shown: ['-A -f 9 -s wlc', '-a -f 9 -r [fd09::21]:0 -i -w 1 --tun-type ipip'],
  },
  {
    what: 'group with ranges',
    text: `virtual_server_group many {\n 192.0.2.50 80\n 192.0.2.60-62 81\n 192.0.2.64/31 82\n fwmark 77\n}\n${vs('group many', 'protocol TCP', 'lb_algo rr', 'lb_kind DR', real('10.9.0.21 80'))}`, // prettier-ignore
    shown: ['50:80', '60:81', '61:81', '62:81', '64:82', '65:82']
      .flatMap((end) => [`-A -t 192.0.2.${end} -s rr`, `-a -t 192.0.2.${end} -r 10.9.0.21:${end.slice(3)} -g -w 1`])
      .concat('-A -f 77 -s rr', '-a -f 77 -r 10.9.0.21:0 -g -w 1'),
  },
  {
    what: 'group of IPv6, servers keep their port behind NAT',
    text: `virtual_server_group six {\n fd09::60-61 80\n}\n${vs('group six', 'protocol TCP', 'lb_algo rr', 'lb_kind NAT', real('fd09::21 8080'))}`, // prettier-ignore
    shown: ['60', '61'].flatMap((end) => [
      `-A -t [fd09::${end}]:80 -s rr`,
      `-a -t [fd09::${end}]:80 -r [fd09::21]:8080 -m -w 1`,
    ]),
  },
  oneMethod('NAT', 300, 'NAT', '-m -w 1'),
  oneMethod('DR', 301, 'DR', '-g -w 1'),
  oneMethod('TUN', 302, 'TUN', '-i -w 1 --tun-type ipip'),
  oneMethod('TUN ipip', 303, 'TUN type ipip', '-i -w 1 --tun-type ipip'),
  oneMethod('TUN gue', 304, 'TUN type gue port 6080', '-i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum'),
  oneMethod('TUN gue nocsum', 305, 'TUN type gue port 6081 nocsum', '-i -w 1 --tun-type gue --tun-port 6081 --tun-nocsum'), // prettier-ignore
  oneMethod('TUN gue csum', 306, 'TUN type gue port 6080 csum', '-i -w 1 --tun-type gue --tun-port 6080 --tun-csum'),
  oneMethod('TUN gue remcsum', 307, 'TUN type gue port 6080 remcsum', '-i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum'), // prettier-ignore
  oneMethod('TUN gre', 308, 'TUN type gre', '-i -w 1 --tun-type gre --tun-nocsum'),
  oneMethod('TUN gre csum', 309, 'TUN type gre csum', '-i -w 1 --tun-type gre --tun-csum'),
  {
    what: 'each server its own method; families mixed through a tunnel',
    text: tcp(
      '192.0.2.4 80',
      'lb_algo wrr',
      'lb_kind DR',
      'weight 5',
      real('10.9.0.21 80'),
      real('10.9.0.22 8080', 'lvs_method NAT\nweight 0'),
      real('10.9.0.23 80', 'lvs_method TUN type gue port 6080 csum\nweight 9'),
      real('fd09::24 80', 'lvs_method TUN'),
    ),
    shown: [
      '-A -t 192.0.2.4:80 -s wrr',
      '-a -t 192.0.2.4:80 -r 10.9.0.21:80 -g -w 5',
      '-a -t 192.0.2.4:80 -r 10.9.0.22:8080 -m -w 0',
      '-a -t 192.0.2.4:80 -r 10.9.0.23:80 -i -w 9 --tun-type gue --tun-port 6080 --tun-csum',
      '-a -t 192.0.2.4:80 -r [fd09::24]:80 -i -w 5 --tun-type ipip',
    ],
  },
  {
    what: 'sorry_server_inhibit, with a method of its own',
    text: tcp('192.0.2.5 80', 'lb_algo rr', 'lb_kind NAT', 'sorry_server 10.9.0.30 80', 'sorry_server_inhibit', 'sorry_server_lvs_method DR', real('10.9.0.21 80')), // prettier-ignore
    shown: [
      '-A -t 192.0.2.5:80 -s rr',
      '-a -t 192.0.2.5:80 -r 10.9.0.21:80 -m -w 1',
      '-a -t 192.0.2.5:80 -r 10.9.0.30:80 -g -w 0',
    ],
  },
  {
    what: 'a sorry server alone while all are down (alpha), by its own method',
    text: tcp('192.0.2.6 80', 'lb_algo rr', 'lb_kind NAT', 'alpha', 'sorry_server 10.9.0.30 8080', 'sorry_server_lvs_method TUN type gre', real('10.9.0.21 80', 'TCP_CHECK { connect_timeout 1 }')), // prettier-ignore
    shown: ['-A -t 192.0.2.6:80 -s rr', '-a -t 192.0.2.6:80 -r 10.9.0.30:80 -i -w 1 --tun-type gre --tun-nocsum'],
  },
  {
    what: 'alpha with inhibit_on_failure, without a sorry server',
    text: tcp('192.0.2.7 80', 'lb_algo rr', 'lb_kind DR', 'alpha', 'inhibit_on_failure', real('10.9.0.21 80', 'TCP_CHECK { connect_timeout 1 }')), // prettier-ignore
    shown: ['-A -t 192.0.2.7:80 -s rr', '-a -t 192.0.2.7:80 -r 10.9.0.21:80 -g -w 0'],
  },
  {
    what: 'ha_suspend without the address: nothing is known, and a server that is not alpha serves',
    text: tcp('192.0.2.8 80', 'lb_algo rr', 'lb_kind DR', 'ha_suspend', real('10.9.0.21 80', 'TCP_CHECK { connect_timeout 1 }')), // prettier-ignore
    shown: ['-A -t 192.0.2.8:80 -s rr', '-a -t 192.0.2.8:80 -r 10.9.0.21:80 -g -w 1'],
  },
  {
    what: 'a quorum that is not reached: the sorry server stands in for those that are up',
    text: tcp('192.0.2.9 80', 'lb_algo rr', 'lb_kind DR', 'alpha', 'quorum 3', 'hysteresis 1', 'sorry_server 10.9.0.30 80', real('10.9.0.21 80', 'weight 2'), real('10.9.0.22 80', 'weight 2\nTCP_CHECK { connect_timeout 1 }')), // prettier-ignore
    shown: ['-A -t 192.0.2.9:80 -s rr', '-a -t 192.0.2.9:80 -r 10.9.0.30:80 -g -w 1'],
  },
  {
    what: 'a quorum that is reached',
    text: tcp('192.0.2.9 81', 'lb_algo rr', 'lb_kind DR', 'alpha', 'quorum 2', 'sorry_server 10.9.0.30 81', real('10.9.0.21 81', 'weight 2'), real('10.9.0.22 81', 'weight 2\nTCP_CHECK { connect_timeout 1 }')), // prettier-ignore
    shown: ['-A -t 192.0.2.9:81 -s rr', '-a -t 192.0.2.9:81 -r 10.9.0.21:81 -g -w 2'],
  },
]

const thresholds = `${tcp('192.0.2.10 80', 'lb_algo rr', 'lb_kind DR', real('10.9.0.21 80', 'uthreshold 100\nlthreshold 50'), real('10.9.0.22 80', 'uthreshold 9'))}\n` // prettier-ignore
const inThresholds = / 192\.0\.2\.10:80 /

describe('A13 each option of a virtual server', () => {
  let lab: Lab<'director'> | undefined
  let saved: readonly string[] = []
  let limits = ''
  let director: RunningDirector | undefined
  beforeAll(async () => {
    lab = await upLab(spec)
    const host = lab.hosts.director
    director = await startDirector(host, thresholds + rows.map(({ text }) => text).join('\n'))
    const text = await host.output(['ipvsadm', '-Sn'])
    saved = text.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' ')).filter((line) => line !== '') // prettier-ignore
    limits = (await host.output(['ipvsadm', '-Ln', '--thresholds'])).replaceAll(/ +/g, ' ')
  })
  afterAll(async () => {
    await director?.process.stop()
    await lab?.down()
  })

  /** `-A -t 192.0.2.1:80`, `-A -f 8 -6`: what a service is found by. */
  const target = (line: string): string => {
    const [, option = '', at = '', six = ''] = line.split(' ')
    return `${option} ${at}${option === '-f' && six === '-6' ? ' -6' : ''}`
  }

  test.for(rows)('A13 $what', ({ shown }) => {
    const mine = new Set(shown.map(target))
    expect(saved.filter((line) => mine.has(target(line))).sort()).toEqual([...shown].sort())
  })

  test('A13 thresholds', () => {
    expect(limits).toMatch(/-> 10\.9\.0\.21:80 100 50 /)
    expect(limits).toMatch(/-> 10\.9\.0\.22:80 9 0 /)
  })

  test('A13 there is no other service in the table', () => {
    const known = new Set(rows.flatMap(({ shown }) => shown.map(target)))
    expect(saved.filter((line) => !known.has(target(line)) && !inThresholds.test(line))).toEqual([])
  })
})
