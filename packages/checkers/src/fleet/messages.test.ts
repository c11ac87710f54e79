import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { readFromProber, readToProber } from './messages.ts'

const verdict = { up: true, class: 'ok', reason: 'seen', took: 1.5 }
const report = { id: 'x', up: true, first: true, turned: false, verdict, at: 5 }
const figures = {
  id: 'x',
  up: true,
  failures: 0,
  last: { ...verdict, at: 5 },
  probes: 1,
  failed: 0,
  late: 0,
  nextIn: 5,
}

test.for([
  [{ say: 'ready', version: 1 }],
  [{ say: 'reports', reports: [report, { ...report, verdict: { ...verdict, weight: 5 } }] }],
  [{ say: 'reports', reports: [] }],
  [{ say: 'trouble', message: 'no descriptors' }],
  [{ say: 'figures', ask: 1, figures: [figures, { ...figures, last: undefined, nextIn: undefined }] }],
  [{ say: 'pong', ask: 3 }],
])('%o is a message', ([message]) => {
  expect(readFromProber(structuredClone(message))).toEqual(message)
})

test.for([
  [undefined],
  ['ready'],
  [{}],
  [{ say: 'ready' }],
  [{ say: 'reports' }],
  [{ say: 'reports', reports: [{}] }],
  [{ say: 'reports', reports: [{ ...report, at: 'now' }] }],
  [{ say: 'reports', reports: [{ ...report, verdict: { ...verdict, class: 'fine' } }] }],
  [{ say: 'reports', reports: [{ ...report, verdict: { ...verdict, took: Number.NaN } }] }],
  [{ say: 'reports', reports: [{ ...report, verdict: { ...verdict, reason: 'x'.repeat(5000) } }] }],
  [{ say: 'figures', ask: 1, figures: [{ ...figures, last: {} }] }],
  [{ say: 'trouble', message: { toString: null } }],
  [{ say: 'run', words: ['/bin/sh'] }],
])('%o is none', ([message]) => {
  expect(readFromProber(message)).toBeUndefined()
})

property.prop([fc.anything()])('whatever it is, it is read or refused', (value) => {
  readFromProber(value)
  readToProber(value)
  readFromProber({ say: 'reports', reports: value })
})
