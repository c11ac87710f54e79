import { expect, test } from 'vitest'
import { parseLabArguments } from '../../lab/arguments.ts'

const nothing = { shell: false, inside: false, topology: undefined, host: undefined, timeout: undefined, command: [] }

test.for([
  [['ipvsadm', '-Ln'], { command: ['ipvsadm', '-Ln'] }],
  [['--', 'ip', '-V'], { command: ['ip', '-V'] }],
  [
    ['--topology', 'nat', '--host', 'rs1', '--', 'ip', 'route'],
    { topology: 'nat', host: 'rs1', command: ['ip', 'route'] },
  ],
  [['--shell'], { shell: true, topology: 'dr' }],
  [['--shell', 'rs2', '--timeout', '60'], { shell: true, topology: 'dr', host: 'rs2', timeout: 60 }],
  [['--shell', '--topology', 'tun'], { shell: true, topology: 'tun' }],
] as const)('%j', ([words, wish]) => {
  expect(parseLabArguments(words)).toEqual({ ...nothing, ...wish })
})

test.for([
  [['--topology', 'star'], 'no topology "star"; there are dr, nat, tun'],
  [['--loud'], 'unknown option --loud'],
  [['--timeout', 'soon', 'true'], '--timeout wants a number of seconds'],
] as const)('%j is refused', ([words, told]) => {
  expect(parseLabArguments(words)).toBe(told)
})
