import { expect, test } from 'vitest'
import { readCommandLine, UsageError } from './options.ts'

test.each([
  [['-n', '-l', '-D', '-f', 'a.conf'], { file: 'a.conf', detail: 1 }],
  [['-Dd', '-S', '6'], { detail: 1, dumpConfig: true, log: { detail: 1, facility: 22 }, remarks: [] }],
  [
    ['-x', '-A', '/m', '--release-vips'],
    { snmp: true, snmpSocket: '/m', remarks: ['--release-vips has no effect yet'] },
  ],
  [['-u', '022', '-s', 'blue'], { umask: 0o22, namespace: 'blue', remarks: [] }],
  [['--umask', '63'], { umask: 0o77 }],
  [['-G', '-S', 'daemon'], { log: { noSyslog: true, facility: 3 }, remarks: ['--log-facility has no effect with --no-syslog'] }], // prettier-ignore
  [['-g', '/l', '--flush-log-file'], { log: { file: '/l', flush: true }, remarks: [] }],
  [['--flush-log-file'], { remarks: ['--flush-log-file has no effect without --log-file'] }],
  [['--log-format', 'json', '--log-journal', '--log-storm', '0'], { log: { format: 'json', journal: true, storm: 0 } }],
  [['-DD'], { detail: 2 }],
  [['-t', '-f', 'x'], { configTest: true, file: 'x' }],
  [['--config-test=out.txt'], { configTest: 'out.txt' }],
  [['--use-file=x', '--config-id', 'lb1'], { file: 'x', configId: 'lb1' }],
  [['-I'], { keepIpvs: true }],
  [['--state-dir', '/tmp/d'], { stateDirectory: '/tmp/d', socket: '/tmp/d/control.sock' }],
  [['--probers', '0'], { probers: 0 }],
  [[], { file: '/etc/keepalived/keepalived.conf', configTest: false, memoryIpvs: false }],
])('%j', (argv, wanted) => {
  expect(readCommandLine(argv)).toMatchObject(wanted)
})

test.each([
  [['--bogus'], 'bogus'],
  [['-f'], '-f'],
  [['extra'], 'extra'],
  [['--probers', 'many'], 'many'],
  [['-S', '9'], '9'],
  [['--log-format', 'xml'], 'xml'],
  [['--log-storm', '-1'], '--log-storm'],
])('%j is refused, naming %s', (argv, word) => {
  expect(() => readCommandLine(argv)).toThrow(UsageError)
  expect(() => readCommandLine(argv)).toThrow(word)
})
