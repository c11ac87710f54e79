import { expect, test } from 'vitest'
import { destinationsByService } from './audit.ts'
import { defaultService } from './defaults.ts'
import type { TextService } from './proc.ts'
import type { Family } from '@ipvs-director/core'

const mark = (fwmark: number, family: Family) => ({ key: { fwmark, family }, settings: defaultService(family) })
const text = (key: number): TextService => ({ key, destinations: new Map() })

test('a mark in the text is the one service with that mark', async () => {
  const shown = await destinationsByService([mark(7, 'inet6'), mark(8, 'inet')], [text(8), text(7), text(9)])
  expect([...shown.keys()]).toEqual(['fwmark 8/inet', 'fwmark 7/inet6'])
})

test('a mark that is there in both families cannot be told by the text', async () => {
  const shown = await destinationsByService([mark(7, 'inet'), mark(7, 'inet6')], [text(7), text(7)])
  expect([...shown.keys()]).toEqual([])
})
