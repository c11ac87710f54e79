import { expect, test } from 'vitest'
import { removedConnections } from './removed-connections.ts'

test('keepalived #1781: every start says what happens to the connections of a failed server', () => {
  expect(removedConnections('0')).toContain('are kept, unanswered, until they time out')
  expect(removedConnections('1')).toContain('end with their next packet')
})
