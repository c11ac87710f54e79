import { expect, test } from 'vitest'
import { readCommandLine, UsageError } from './options.ts'

test.each([
  [['-n', '-l', '-D', '-f', 'a.conf'], { file: 'a.conf', detail: 1 }],
  [['-Dd', '-S', '6'], { detail: 1, remarks: ['--log-facility has no effect yet', '--dump-conf has no effect yet'] }],
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
])('%j is refused, naming %s', (argv, word) => {
  expect(() => readCommandLine(argv)).toThrow(UsageError)
  expect(() => readCommandLine(argv)).toThrow(word)
})
