import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { explain, explanationLines } from './commands/explain.ts'
import { driftScreen } from './commands/drift.ts'
import { eventLines } from './commands/events.ts'
import { checkEntries, checksScreen, serverEntries, serversScreen } from './commands/lists.ts'
import { watchScreen } from './commands/watch.ts'
import { emptyMemory } from './watch/memory.ts'
import { coloured, plain, wantsColour } from './paint.ts'
import { ago, amount, briefly, lengthy } from './quantities.ts'
import { preformatted, type Screen } from './screen.ts'
import { quorumText } from './service-view.ts'
import { sparkline } from './sparkline.ts'
import { statusScreen } from './status-screen.ts'
import { displayWidth, printable, wrap } from './text.ts'
import type { ServerStatus, Status } from './model.ts'
import {
  busyStatus,
  check,
  downServer,
  driftReport,
  event,
  fixtureNow,
  server,
  sources,
  status,
  virtualServer,
} from './testing/index.ts'

const at80: Screen = { width: 80, paint: plain }
const joined = (lines: readonly string[]): string => `\n${lines.join('\n')}\n`

describe('status screen', () => {
  test('a source of real servers that fails, and how old what it said is', () => {
    const lines = statusScreen(status({ sources: sources() }), { width: 200, paint: plain })
    expect(lines.filter((line) => line.startsWith('!'))).toEqual([
      '! SOURCE FAILS etcd http://127.0.0.1:2379 /web/ for 2 min: connect ECONNREFUSED 127.0.0.1:2379; its 2 servers of 3 min ago stay',
    ])
  })

  test('at 80 columns', () => {
    expect(joined(statusScreen(busyStatus(), at80))).toMatchInlineSnapshot(`
      "
      ipvs-director 0.1.0, pid 4711, up 3 h 12 min
      config /etc/keepalived/keepalived.conf, loaded 3 h 10 min ago, 2 reloads
      kernel IPVS 1.2.1, audited 4 s ago, figures 4 s old, 12 writes, 1 drift repaired
      2 virtual servers, 1 down; 5 real servers: 2 up, 2 down, 1 unknown

      192.0.2.1:80/tcp  UP for 3 min
        wrr, DR, persistence 50 s; alive weight 4, quorum 2 (lost at 0)
        SERVER                   STATE   FOR   WANT HAVE ACTIVE INACT CPS INBPS OUTBPS
        10.0.0.2:80              up      3 min    3    3     41   312  45   36k   1.7M
        10.0.0.3:80              up      3 min    1   !0     16   108  16   12k   580k
            failing (2 of 3 forgiven): HTTP_GET: no answer within 3 s
            the kernel has weight 0 where 1 is wanted
        10.0.0.4:80              down    12 s     -    -      -     -   -     -      -
            cannot connect to 10.0.0.4:80: ECONNREFUSED
        10.0.0.5:80              unknown -        -    -      -     -   -     -      -
            not probed yet
        sorry 10.0.0.99:80       standby -        -    -      -     -   -     -      -
        total                                                57   420  61   48k   2.3M

      [2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp  DOWN for 40 s
        sh, TUN; alive weight 0, quorum 1 (gained at 1)
        SERVER                   STATE   FOR   WANT HAVE ACTIVE INACT CPS INBPS OUTBPS
        [2001:db8:1234:5678:9abc:def0:1234:1]:53
                                 down    12 s     -    -      -     -   -     -      -
            HTTP_GET http://[2001:db8:1234:5678:9abc:def0:1234:1]:8053/health answered
              503 Service Unavailable, wanted 200..299
        sorry [2001:db8::99]:53  active  40 s     1    1      0     0   0     0      0

      in the kernel's table, not ours, left alone:
        198.51.100.7:25/tcp wlc: 10.9.0.1:25 10.9.0.2:25
      "
    `)
  })

  test('a director in trouble says so at the top', () => {
    const { config, kernel } = status()
    const diagnostics = [
      'web.conf:12:5: unknown keyword "delay_lop" in virtual_server; did you mean "delay_loop"?\n   12 |     delay_lop 6\n      |     ^^^^^^^^^',
    ]
    const troubled = status({
      config: { ...config, refused: { at: fixtureNow - 120_000, diagnostics } },
      kernel: {
        ...kernel,
        reachable: false,
        auditedAt: fixtureNow - 185_000,
        lastError: { at: fixtureNow, message: 'cannot read the table: EPERM' },
      },
      probers: [{ name: 'prober 1', pid: undefined, checks: 40, restarts: 3 }],
      virtualServers: [],
    })
    expect(joined(statusScreen(troubled, at80))).toMatchInlineSnapshot(`
      "
      ipvs-director 0.1.0, pid 4711, up 3 h 12 min
      config /etc/keepalived/keepalived.conf, loaded 3 h 10 min ago, 2 reloads
      kernel IPVS 1.2.1, audited 3 min 5 s ago, 12 writes, 1 drift repaired
      0 virtual servers; 0 real servers
      ! LAST RELOAD REFUSED 2 min ago; what was loaded 3 h 10 min ago still runs
          web.conf:12:5: unknown keyword "delay_lop" in virtual_server; did you mean
            "delay_loop"?
             12 |     delay_lop 6
                |     ^^^^^^^^^
      ! KERNEL UNREACHABLE: cannot read the table: EPERM; last audited 3 min 5 s ago
      ! prober 1 is not running: 40 checks stand still
      "
    `)
  })

  test('a start with errors, and a vrrp process that does not answer', () => {
    const { config } = status()
    const found = {
      errors: 1,
      warnings: 2,
      diagnostics: ['web.conf:12:5: unknown keyword "delay_lop"'],
      leftOut: ['virtual_server 192.0.2.1 80'],
    }
    const troubled = status({ config: { ...config, ...found }, vrrpSilent: ['VI_1', 'VI_2'], virtualServers: [] })
    expect(joined(statusScreen(troubled, at80).slice(1))).toMatchInlineSnapshot(`
      "
      config /etc/keepalived/keepalived.conf, loaded 3 h 10 min ago, 2 reloads, 2
        warnings (\`ipvs-ctl check\`)
      kernel IPVS 1.2.1, audited 4 s ago, 12 writes, 1 drift repaired
      0 virtual servers; 0 real servers
      ! RUNS WITH 1 ERROR in its configuration, WITHOUT virtual_server 192.0.2.1 80
          web.conf:12:5: unknown keyword "delay_lop"

      ! VRRP IS SILENT: its process does not answer; nothing is known of VI_1, VI_2
      "
    `)
  })

  test('one service: every reason and every check', () => {
    const web = busyStatus().virtualServers.slice(0, 1)
    expect(joined(statusScreen(status({ virtualServers: web }), at80, { verbose: true }).slice(5)))
      .toMatchInlineSnapshot(`
        "
        192.0.2.1:80/tcp  UP for 3 min
          wrr, DR, persistence 50 s; alive weight 4, quorum 2 (lost at 0)
          SERVER             STATE   FOR   WANT HAVE ACTIVE INACT CPS INBPS OUTBPS
          10.0.0.2:80        up      3 min    3    3     41   312  45   36k   1.7M
              connected to 10.0.0.2:80 (2 s ago)
              TCP_CHECK 10.0.0.2:80: up for 3 min, took 0.8 ms, 0 of 30 probes failed,
                next in 4 s
          10.0.0.3:80        up      3 min    1   !0     16   108  16   12k   580k
              connected to 10.0.0.3:80 (2 s ago)
              failing (2 of 3 forgiven): HTTP_GET: no answer within 3 s
              the kernel has weight 0 where 1 is wanted
              HTTP_GET 10.0.0.3:80 /health: up for 3 min, took 0.8 ms, 2 of 30 probes
                failed, next in 4 s
          10.0.0.4:80        down    12 s     -    -      -     -   -     -      -
              cannot connect to 10.0.0.4:80: ECONNREFUSED (2 s ago)
              TCP_CHECK 10.0.0.4:80: down for 12 s, took 0.8 ms, 6 of 30 probes failed,
                next in 4 s
          10.0.0.5:80        unknown -        -    -      -     -   -     -      -
              not probed yet
              TCP_CHECK 10.0.0.5:80: unknown, 0 of 0 probes failed, next in 4 s
          sorry 10.0.0.99:80 standby -        -    -      -     -   -     -      -
          total                                          57   420  61   48k   2.3M
        "
      `)
  })

  test('a group lists its services; a fresh one has nothing to tell yet', () => {
    const group = virtualServer({
      name: 'group web/tcp',
      services: Array.from({ length: 14 }, (_, i) => `192.0.2.${i + 1}:80/tcp`),
      servers: [
        server({
          state: 'unknown',
          since: undefined,
          reason: '',
          checkedAt: undefined,
          kernelAt: undefined,
          kernelWeight: undefined,
          checks: [],
        }),
      ],
    })
    const empty = virtualServer({ name: 'fwmark 7/inet', services: ['fwmark 7/inet'], servers: [] })
    expect(joined(statusScreen(status({ virtualServers: [group, empty] }), at80).slice(4))).toMatchInlineSnapshot(`
      "

      group web/tcp  UP for 3 min
        wrr, DR; alive weight 1, quorum 1 (lost at 0)
        services: 192.0.2.1:80/tcp, 192.0.2.2:80/tcp, 192.0.2.3:80/tcp,
          192.0.2.4:80/tcp, 192.0.2.5:80/tcp, 192.0.2.6:80/tcp, 192.0.2.7:80/tcp,
          192.0.2.8:80/tcp, 192.0.2.9:80/tcp, 192.0.2.10:80/tcp, 192.0.2.11:80/tcp,
          192.0.2.12:80/tcp, and 2 more
        SERVER       STATE    FOR  WANT  HAVE  ACTIVE  INACT  CPS  INBPS  OUTBPS
        10.0.0.2:80  unknown  -       1     ?       -      -    -      -       -
            no verdict yet

      fwmark 7/inet  UP for 3 min
        wrr, DR; alive weight 1, quorum 1 (lost at 0)
        no real servers
      "
    `)
  })

  test('too narrow for columns', () => {
    const one = virtualServer({ servers: [server(), downServer('10.0.0.4:80', 'cannot connect: ECONNREFUSED')] })
    expect(joined(statusScreen(status({ virtualServers: [one] }), { width: 44, paint: plain }).slice(7)))
      .toMatchInlineSnapshot(`
        "

        192.0.2.1:80/tcp  UP for 3 min
          wrr, DR; alive weight 1, quorum 1 (lost at
            0)
          10.0.0.2:80
            STATE up, FOR 3 min, WANT 1, HAVE 1,
            ACTIVE 0, INACT 0, CPS 0, INBPS 0,
            OUTBPS 0
          10.0.0.4:80
            STATE down, FOR 12 s, WANT -, HAVE -,
            ACTIVE -, INACT -, CPS -, INBPS -,
            OUTBPS -
              cannot connect: ECONNREFUSED
          total
            ACTIVE 0, INACT 0, CPS 0, INBPS 0,
            OUTBPS 0
        "
      `)
  })

  test('colours change nothing but the colours', () => {
    const painted = statusScreen(busyStatus(), { width: 80, paint: coloured })
    expect(painted.map((line) => line.replace(/\x1b\[\d+m/g, ''))).toEqual(statusScreen(busyStatus(), at80))
    expect(painted.join('')).toContain('\x1b[31mdown\x1b[39m')
  })

  test("figures that are old are told to be old, and differing weights in the kernel's disfavour too", () => {
    const old = server({ kernelAt: fixtureNow - 190_000, kernelWeight: undefined })
    const extra = server({ name: '10.0.0.3:80', wantedWeight: undefined, kernelWeight: 5 })
    const lines = statusScreen(status({ virtualServers: [virtualServer({ servers: [old, extra] })] }), at80).map(
      (line) => line.trim(),
    )
    expect(lines).toContain("the kernel's figures are of 3 min 10 s ago")
    expect(lines).toContain('the kernel has no entry where 1 is wanted')
    expect(lines).toContain('the kernel has weight 5 where none is wanted')
  })
})

test.for([
  ['up', 5, 3, 1, 'alive weight 5, quorum 3 (lost below 3 - 1 = 2)'],
  ['up', 5, 3, 0, 'alive weight 5, quorum 3 (lost below 3)'],
  ['up', 5, 1, 0, 'alive weight 5, quorum 1 (lost at 0)'],
  ['up', 5, 2, 1, 'alive weight 5, quorum 2 (lost at 0)'],
  ['down', 0, 3, 1, 'alive weight 0, quorum 3 (gained at 3 + 1 = 4)'],
  ['down', 0, 1, 0, 'alive weight 0, quorum 1 (gained at 1)'],
] as const)('%s with %i alive of quorum %i, hysteresis %i', ([state, aliveWeight, quorum, hysteresis, text]) => {
  expect(quorumText(virtualServer({ state, aliveWeight, quorum, hysteresis }))).toBe(text)
})

describe('other screens', () => {
  test('drift', () => {
    const report = driftReport({
      found: [
        ...driftReport().found,
        { at: fixtureNow - 4000, what: 'destination 10.0.0.9:80 of 192.0.2.1:80/tcp was not wanted', repaired: false },
      ],
    })
    expect(joined(driftScreen(report, at80, fixtureNow))).toMatchInlineSnapshot(`
      "
      audit 4 s ago: 2 differences
        destination 10.0.0.3:80 of 192.0.2.1:80/tcp had weight 0, wanted 1: repaired,
          4 s ago
        destination 10.0.0.9:80 of 192.0.2.1:80/tcp was not wanted: NOT REPAIRED, 4 s
          ago

      found by earlier audits:
        service 192.0.2.1:80/tcp was missing: repaired, 50 min ago

      in the kernel's table, not ours, left alone:
        198.51.100.7:25/tcp wlc: 10.9.0.1:25
      "
    `)
    expect(driftScreen(driftReport({ found: [], recent: [], foreign: [] }), at80, fixtureNow)).toEqual([
      "audit 4 s ago: the kernel's table is as wanted",
    ])
  })

  test('servers and checks', () => {
    const entries = serverEntries(busyStatus()).slice(2)
    expect(joined(serversScreen(entries, fixtureNow, at80))).toMatchInlineSnapshot(`
      "
        SERVER                    STATE   FOR  WANT HAVE ACTIVE INACT CPS INBPS OUTBPS
        10.0.0.4:80               down    12 s    -    -      -     -   -     -      -
            of 192.0.2.1:80/tcp
            cannot connect to 10.0.0.4:80: ECONNREFUSED
        10.0.0.5:80               unknown -       -    -      -     -   -     -      -
            of 192.0.2.1:80/tcp
            not probed yet
        [2001:db8:1234:5678:9abc:def0:1234:1]:53
                                  down    12 s    -    -      -     -   -     -      -
            of [2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp
            HTTP_GET http://[2001:db8:1234:5678:9abc:def0:1234:1]:8053/health answered
              503 Service Unavailable, wanted 200..299
      "
    `)
    expect(joined(checksScreen(checkEntries(busyStatus()), fixtureNow, at80))).toMatchInlineSnapshot(`
      "
        TARGET                              CHECK     STATE   FOR   FAILED   TOOK NEXT
        10.0.0.2:80                         TCP_CHECK up      3 min    0/3 0.8 ms  4 s
            10.0.0.2:80 of 192.0.2.1:80/tcp: connected to 10.0.0.2:80
        10.0.0.3:80 /health                 HTTP_GET  up      3 min    2/3 0.8 ms  4 s
            10.0.0.3:80 of 192.0.2.1:80/tcp: no answer within 3 s
        10.0.0.4:80                         TCP_CHECK down    12 s     4/3 0.8 ms  4 s
            10.0.0.4:80 of 192.0.2.1:80/tcp: cannot connect to 10.0.0.4:80:
              ECONNREFUSED
        10.0.0.5:80                         TCP_CHECK unknown -        0/3      -  4 s
            10.0.0.5:80 of 192.0.2.1:80/tcp
        [2001:db8:1234:5678:9abc:def0:1234:1]:53
                                            TCP_CHECK down    12 s     4/3 0.8 ms  4 s
            [2001:db8:1234:5678:9abc:def0:1234:1]:53 of
              [2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp: HTTP_GET
              http://[2001:db8:1234:5678:9abc:def0:1234:1]:8053/health answered 503
              Service Unavailable, wanted 200..299
      "
    `)
  })

  test('explain: a server that is down, with all that is known', () => {
    const timing = {
      delayLoop: 6000,
      delayBeforeRetry: 1000,
      timeout: 5000,
      downRefused: 9000,
      downSilent: 29_000,
      upAgain: 6040,
      successes: 3,
    }
    const down = downServer('10.0.0.4:80', 'cannot connect to 10.0.0.4:80: ECONNREFUSED')
    const servers = [{ ...down, checks: down.checks.map((one) => ({ ...one, timing })) }]
    const explained = explain(
      status({ virtualServers: [virtualServer({ state: 'down', aliveWeight: 0, servers })] }),
      '10.0.0.4',
    )
    expect(joined(explanationLines(explained, at80))).toMatchInlineSnapshot(`
      "
      10.0.0.4:80 of 192.0.2.1:80/tcp: down for 12 s
        why
          cannot connect to 10.0.0.4:80: ECONNREFUSED, 2 s ago; TCP_CHECK 10.0.0.4:80
          failed 6 of 30 probes
        why this weight
          no entry is wanted: it is down; and the kernel has it so
        what would bring it back
          3 successes in a row of TCP_CHECK 10.0.0.4:80, due in 4 s; at most 6.1 s
          once it is well
        how long until a failure is noticed
          TCP_CHECK: at most 9 s where it refuses, at most 29 s where it does not
          answer
      "
    `)
  })

  test('explain: what a check does not see, and what could not look', () => {
    const down = downServer('10.0.0.4:80', 'connection refused')
    const [one] = down.checks
    if (one === undefined) throw new Error('it has no check')
    const pace = { delayLoop: 6000, delayBeforeRetry: 1000, timeout: 5000 }
    const checks = [
      one,
      { ...one, kind: 'AGENT_CHECK', state: 'up' as const, timing: pace },
      { ...one, kind: 'UDP_CHECK', state: 'up' as const, timing: { ...pace, downRefused: 7000 } },
      { ...one, kind: 'FILE_CHECK', state: 'up' as const, timing: { ...pace, downRefused: 50, downSilent: 50 } },
      { ...one, kind: 'MISC_CHECK', target: '', state: 'unknown' as const, class: 'local', reason: 'no such user', timing: { ...pace, downRefused: 7000, downSilent: 9000 } }, // prettier-ignore
    ]
    const [explained] = explain(status({ virtualServers: [virtualServer({ servers: [{ ...down, checks }] })] }), '10.0.0.4') // prettier-ignore
    const answers = Object.fromEntries((explained?.answers ?? []).map(({ question, answer }) => [question, answer]))
    expect(answers['why']).toContain('MISC_CHECK cannot look, which is not counted: no such user')
    expect(answers['what would bring it back']).toBe('one success of TCP_CHECK 10.0.0.4:80, due in 4 s')
    expect(answers['how long until a failure is noticed']).toBe(
      'AGENT_CHECK: never by itself, only when it is told; ' +
        'UDP_CHECK: at most 7 s where it refuses, never where it does not answer; FILE_CHECK: at most 100 ms; ' +
        'MISC_CHECK: at most 7 s where the script says so, at most 9 s where the script hangs',
    )
  })

  test('explain: a service, and a server that only fails', () => {
    expect(joined(explanationLines(explain(busyStatus(), '192.0.2.1:80'), at80))).toMatchInlineSnapshot(`
      "
      192.0.2.1:80/tcp: up for 3 min
        why
          alive weight 4, quorum 2 (lost at 0)
        its real servers
          10.0.0.4:80 is down: cannot connect to 10.0.0.4:80: ECONNREFUSED;
          10.0.0.5:80 is unknown: not probed yet
      "
    `)
    expect(joined(explanationLines(explain(busyStatus(), '10.0.0.3:80'), at80))).toMatchInlineSnapshot(`
      "
      10.0.0.3:80 of 192.0.2.1:80/tcp: up for 3 min
        why
          connected to 10.0.0.3:80, 2 s ago; HTTP_GET 10.0.0.3:80 /health failed 2 of
          30 probes, 2 in a row where 3 are forgiven: no answer within 3 s
        why this weight
          weight 1 is wanted; but the kernel has weight 0: the next audit repairs it,
          or "ipvs-ctl drift --now"
      "
    `)
    expect(() => explain(busyStatus(), '10.0.0.33:80')).toThrow('no virtual or real server "10.0.0.33:80"')
  })

  test('watch', () => {
    // Where a line ends depends on the length of the zone.
    onTestFinished(() => { vi.restoreAllMocks() }) // prettier-ignore
    vi.spyOn(Date.prototype, 'getTimezoneOffset').mockReturnValue(0)
    const busy = busyStatus()
    const memory = {
      rates: new Map([['192.0.2.1:80/tcp', [0, 10, 20, 40, 61, 30]]]),
      events: [event(1), event(2)],
      latencies: new Map<string, number[]>(),
    }
    const lines = watchScreen(busy, memory, at80, true).slice(5)
    expect(joined(lines.filter((line) => !line.startsWith('2026-')))).toMatchInlineSnapshot(`
      "
        VIRTUAL SERVER                     STATE FOR    UP ACTIVE CPS TREND
        192.0.2.1:80/tcp                   up    3 min 2/4     57  61           ▁▂▃▆█▄
        [2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp
                                           down  40 s  0/1      0   0

      last events
            10.0.0.4:80: ECONNREFUSED
            10.0.0.4:80: ECONNREFUSED

      3 real servers not up
        SERVER                    STATE   FOR  WANT HAVE ACTIVE INACT CPS INBPS OUTBPS
        10.0.0.4:80               down    12 s    -    -      -     -   -     -      -
            of 192.0.2.1:80/tcp
            cannot connect to 10.0.0.4:80: ECONNREFUSED
        10.0.0.5:80               unknown -       -    -      -     -   -     -      -
            of 192.0.2.1:80/tcp
            not probed yet
        [2001:db8:1234:5678:9abc:def0:1234:1]:53
                                  down    12 s    -    -      -     -   -     -      -
            of [2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp
            HTTP_GET http://[2001:db8:1234:5678:9abc:def0:1234:1]:8053/health answered
              503 Service Unavailable, wanted 200..299
      "
    `)
  })

  test('of a table full of what is not ours the beginning is shown', () => {
    const hosts = Array.from({ length: 40 }, (_, i) => `10.9.0.${i}:25`)
    const foreign = hosts.map((name) => ({ name, scheduler: 'wlc', destinations: hosts }))
    const lines = statusScreen(status({ foreign }), { width: 300, paint: plain }).slice(-12)
    expect(lines[0]).toBe("in the kernel's table, not ours, left alone:")
    expect(lines[1]).toBe(`  10.9.0.0:25 wlc: ${hosts.slice(0, 10).join(' ')} and 30 more`)
    expect(lines.at(-1)).toBe('  and 30 more: see `ipvs-ctl drift`')
    expect(driftScreen(driftReport({ found: [], recent: [], foreign }), at80, fixtureNow).join('\n')).toContain(
      '10.9.0.39:25 wlc',
    )
  })

  test('an event has its time in local time, which is told to be that', () => {
    const moment = new Date(2026, 0, 2, 3, 4, 5).getTime()
    const [line = ''] = eventLines(event(1, { at: moment, message: 'all is well' }), at80)
    const [, time = ''] = /^(2026-01-02 03:04:05\S+) all is well$/.exec(line) ?? []
    expect(Date.parse(time)).toBe(moment)
  })
})

describe('words and numbers', () => {
  test.for([
    [0, '0'],
    [0.4, '0.4'],
    [0.04, '0'],
    [9.96, '10'],
    [999, '999'],
    [999.6, '1k'],
    [1234, '1.2k'],
    [9960, '10k'],
    [36_000, '36k'],
    [999_600, '1M'],
    [1_730_000, '1.7M'],
    [2e12, '2T'],
    [-1500, '-1.5k'],
  ] as const)('amount(%d) is %s', ([value, text]) => {
    expect(amount(value)).toBe(text)
  })

  test.for([
    [-5000, '0 s', '0 s'],
    [999, '0 s', '0 s'],
    [59_999, '59 s', '59 s'],
    [60_000, '1 min', '1 min'],
    [3_600_000, '1 h', '1 h'],
    [11_520_000, '3 h', '3 h 12 min'],
    [172_800_000, '2 d', '2 d'],
  ] as const)('%d ms is %s, or %s', ([value, short, long]) => {
    expect([briefly(value), lengthy(value)]).toEqual([short, long])
  })

  test('ago', () => {
    expect([ago(undefined, 5000), ago(4500, 5000), ago(9000, 5000), ago(2000, 5000)]).toEqual([
      'never',
      'just now',
      'just now',
      '3 s ago',
    ])
  })

  property.prop([fc.double({ min: 0, max: 1e20, noNaN: true })])('an amount has at most four characters', (value) => {
    expect(amount(value).length).toBeLessThanOrEqual(4)
  })

  test.for([
    ['a\x1b[2Jb', 'a\\x1b[2Jb'],
    ['a\r\nb\tc', 'a b c'],
    ['\u202eabc', '\\u202eabc'],
    ['\x00\x7f\x9b', '\\x00\\x7f\\x9b'],
    ['Grüße 世界', 'Grüße 世界'],
  ] as const)('%j is shown as %j', ([text, shown]) => {
    expect(printable(text)).toBe(shown)
  })

  property.prop([fc.string({ unit: 'binary' })])('nothing printable moves the cursor', (text) => {
    expect(printable(text)).not.toMatch(/[\p{Cc}\u202a-\u202e]/u)
  })

  test('diagnostics keep their own lines', () => {
    expect(preformatted(at80, 'a:\n  x\x1b\n   ^', undefined, '')).toEqual(['a:', '  x?', '   ^'])
  })

  test('widths', () => {
    expect([displayWidth('abc'), displayWidth('世界'), displayWidth('e\u0301'), displayWidth('🙂')]).toEqual([
      3, 4, 1, 2,
    ])
  })

  test('sparkline', () => {
    expect(sparkline([0, 1, 2, 4, 8], 8, true)).toBe('   ▁▂▃▅█')
    expect(sparkline([0, 0], 2, true)).toBe('▁▁')
    expect(sparkline([5, 5, 5], 2, false)).toBe('##')
  })

  property.prop([fc.array(fc.stringMatching(/^\S{1,30}$/)), fc.integer({ min: 5, max: 60 })])(
    'wrapping loses no word',
    (words, width) => {
      const lines = wrap(words.join(' '), width, '  ', '    ')
      expect(lines.flatMap((line) => line.trim().split(' ')).filter((word) => word !== '')).toEqual(words)
    },
  )
})

test.for([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
] as const)('terminal %s with %o: colour %s', ([isTTY, env, wanted]) => {
  expect(wantsColour(isTTY, env)).toBe(wanted)
})

const words = fc.oneof(
  fc.constantFrom('10.0.0.2:80', '[2001:db8:1:2:3:4:5:6]:65535', 'cannot connect: timeout after 5 s'),
  fc.string(),
)
const states = fc.constantFrom('up', 'down', 'unknown' as const)
const weight = fc.option(fc.nat(70_000), { nil: undefined })
const anyServer: fc.Arbitrary<ServerStatus> = fc
  .record({
    name: words,
    state: states,
    reason: words,
    wantedWeight: weight,
    kernelWeight: weight,
    kernelAt: fc.option(fc.constant(fixtureNow), { nil: undefined }),
    failures: fc.nat(5),
    rate: fc.nat(1e9),
  })
  .map(({ failures, rate, ...over }) =>
    server({
      ...over,
      checks: [check({ failures, reason: over.reason })],
      traffic: { ...server().traffic, inByteRate: rate, outByteRate: rate },
    }),
  )
const anyStatus: fc.Arbitrary<Status> = fc
  .array(
    fc.record({
      name: words,
      servers: fc.array(anyServer, { maxLength: 4 }),
      sorry: fc.option(anyServer, { nil: undefined }),
      state: fc.constantFrom('up', 'down'),
    }),
    { maxLength: 3 },
  )
  .map((services) =>
    status({
      virtualServers: services.map(({ sorry, ...over }) =>
        virtualServer({ ...over, services: [over.name, 'x'], sorryServer: sorry }),
      ),
      foreign: services.map(({ name }) => ({ name, scheduler: 'wlc', destinations: [name, '10.0.0.1:1'] })),
    }),
  )

property.prop([anyStatus, fc.integer({ min: 20, max: 200 }), fc.boolean()])(
  'no line is wider than the screen, unless it is one word',
  (any, width, verbose) => {
    const screen = { width, paint: plain }
    const memory = emptyMemory()
    const lines = [
      ...statusScreen(any, screen, { verbose }),
      ...serversScreen(serverEntries(any), fixtureNow, screen),
      ...checksScreen(checkEntries(any), fixtureNow, screen),
      ...watchScreen(any, memory, screen, true),
    ]
    for (const line of lines) if (displayWidth(line) > width) expect(line.trim()).not.toContain(' ')
  },
)

property.prop([anyStatus])('every configured server is on the screen', (any) => {
  const text = statusScreen(any, { width: 400, paint: plain }).join('\n')
  for (const { servers } of any.virtualServers) for (const { name } of servers) expect(text).toContain(printable(name))
})
