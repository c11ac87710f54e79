import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeSync, openSync, readlinkSync } from 'node:fs'
import { openSocket } from './native.ts'
import { enterNamespace, namespacePath, withinNamespace } from './namespace.ts'
import { noNamespaces, ownNamespace, type OwnNamespace } from './testing/own-namespace.ts'

let space: OwnNamespace
beforeAll(async () => {
  if (noNamespaces === undefined) space = await ownNamespace()
})
afterAll(() => {
  if (noNamespaces === undefined) space.close()
})

const here = (): string => readlinkSync('/proc/thread-self/ns/net')

test('a name is one that `ip netns` knows', () => {
  expect(namespacePath('blue')).toBe('/run/netns/blue')
  expect(namespacePath('/proc/12/ns/net')).toBe('/proc/12/ns/net')
})

test.for([
  ['one that is not there', 'no-such-namespace', 'ENOENT'],
  ['what is no namespace', '/proc/self/status', 'EINVAL'],
] as const)('%s is refused, and nothing has changed', ([, name, code]) => {
  const before = here()
  expect(() => {
    enterNamespace(name)
  }).toThrow(expect.objectContaining({ name: 'KernelError', code, message: `cannot enter network namespace ${name}: ${code}` })) // prettier-ignore
  expect(here()).toBe(before)
})

test('a socket opened within belongs there, and the thread comes home, also after an exception', ({ skip }) => {
  skip(noNamespaces !== undefined, noNamespaces)
  const home = here()
  const there = withinNamespace(space.path, here)
  expect(there).not.toBe(home)
  expect(here()).toBe(home)
  const socket = withinNamespace(space.path, () =>
    openSocket({ domain: 2, type: 2, protocol: 0 }, { error: () => undefined }),
  )
  // Its loopback is down, so what any host can do it cannot.
  expect(() => socket.send(Buffer.of(1), Buffer.from([2, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]))).toThrow(
    'sendmsg ENETUNREACH',
  )
  socket.close()
  expect(() =>
    withinNamespace(space.path, () => {
      throw new Error('within')
    }),
  ).toThrow('within')
  expect(here()).toBe(home)
})

test('who enters stays until entering another', ({ skip }) => {
  skip(noNamespaces !== undefined, noNamespaces)
  const home = here()
  const door = openSync('/proc/thread-self/ns/net', 'r')
  enterNamespace(space.path)
  const there = here()
  enterNamespace(`/proc/self/fd/${door}`)
  closeSync(door)
  expect(there).toBe(withinNamespace(space.path, here))
  expect(here()).toBe(home)
})
