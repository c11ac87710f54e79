import { expect, test } from 'vitest'
import { type GroupEvent, initialGroup, stepGroup } from './sync-group.ts'

function group(names = ['in', 'out']) {
  let state = initialGroup(names)
  const log: string[] = []
  return {
    phase: () => state.phase,
    log,
    send(event: GroupEvent): string[] {
      const done = stepGroup(state, event)
      state = done.state
      const said = done.effects.map((each) =>
        each.do === 'tell'
          ? `${each.member} ${each.become}`
          : each.do === 'fault'
            ? `fault ${each.on}`
            : `turned ${each.to}`,
      )
      log.push(...said)
      return said
    },
  }
}
const turned = (member: string, to: 'backup' | 'master' | 'fault'): GroupEvent => ({
  type: 'turned',
  member,
  to,
  why: 'x',
  resigned: false,
})

test('one that wants waits; the last one takes all with it, members first', () => {
  const it = group()
  expect(it.send({ type: 'want', member: 'in' })).toEqual([])
  expect(it.send({ type: 'want', member: 'out' })).toEqual(['in master', 'out master', 'turned master'])
  expect(it.phase()).toBe('master')
})

test('one that hears a better master no longer wants', () => {
  const it = group()
  it.send({ type: 'want', member: 'in' })
  it.send({ type: 'unwant', member: 'in' })
  expect(it.send({ type: 'want', member: 'out' })).toEqual([])
})

test('a member that comes late to a group that is master goes at once', () => {
  const it = group()
  it.send({ type: 'want', member: 'in' })
  it.send({ type: 'want', member: 'out' })
  expect(it.send({ type: 'want', member: 'out' })).toEqual(['out master'])
})

test('one leaves: all leave, and the group says so once', () => {
  const it = group(['a', 'b', 'c'])
  for (const member of ['a', 'b', 'c']) it.send({ type: 'want', member })
  for (const member of ['a', 'b', 'c']) it.send(turned(member, 'master'))
  expect(it.send(turned('b', 'backup'))).toEqual(['a backup', 'c backup', 'turned backup'])
  expect(it.send(turned('a', 'backup'))).toEqual([])
})

test('a fault of one is a fault of all, until the last is over', () => {
  const it = group()
  expect(it.send({ type: 'faulty', member: 'in', faulty: true })).toEqual(['fault true', 'turned fault'])
  expect(it.send({ type: 'faulty', member: 'out', faulty: true })).toEqual([])
  expect(it.send({ type: 'want', member: 'out' })).toEqual([])
  expect(it.send({ type: 'faulty', member: 'in', faulty: false })).toEqual([])
  expect(it.send({ type: 'faulty', member: 'out', faulty: false })).toEqual(['fault false', 'turned backup'])
})

test('what the group tracks itself faults it, too', () => {
  const it = group()
  expect(it.send({ type: 'faults', faults: ['script s: bad'] })).toEqual(['fault true', 'turned fault'])
  expect(it.send({ type: 'faults', faults: [] })).toEqual(['fault false', 'turned backup'])
})

test('a reload: members that are master make a new group master; one that goes may end a fault', () => {
  const it = group()
  it.send({ type: 'adopted', member: 'in', phase: 'master' })
  expect(it.phase()).toBe('backup')
  it.send({ type: 'adopted', member: 'out', phase: 'master' })
  expect(it.phase()).toBe('master')
  it.send({ type: 'faulty', member: 'out', faulty: true })
  expect(it.send({ type: 'members', names: ['in'] })).toEqual(['fault false', 'turned backup'])
})
