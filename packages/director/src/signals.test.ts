import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { takeSignals } from './signals.ts'

test('a signal that comes too early is obeyed once, when there is somebody to obey it', () => {
  const source = new EventEmitter()
  const signals = takeSignals(source)
  const done: string[] = []
  source.emit('SIGUSR1')
  source.emit('SIGUSR1')
  signals.on('SIGHUP', () => done.push('reload'))
  expect(done).toEqual([])
  signals.on('SIGUSR1', () => done.push('dump'))
  expect(done).toEqual(['dump'])
  source.emit('SIGUSR1')
  source.emit('SIGHUP')
  expect(done).toEqual(['dump', 'dump', 'reload'])
})
