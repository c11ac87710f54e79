/** `alpha`, for every kind of check: a server that nobody has looked at yet counts as down. */
import { checkers } from '@ipvs-director/checkers'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { desiredTable } from './desired.ts'
import { createPool } from './pool.ts'

/** What must be in a block for it to be one. */
const required: Readonly<Record<string, string>> = {
  HTTP_GET: 'url {\n path /\n }',
  SSL_GET: 'url {\n path /\n }',
  MISC_CHECK: 'misc_path /bin/true',
  FILE_CHECK: 'track_file state',
  BFD_CHECK: 'name session',
}

/** Whether the server is in the table before anything is known. */
async function thereAtStart(kind: string, words: string, around = ''): Promise<boolean> {
  const text = `bfd_instance session {
  neighbor_ip 192.0.2.9
}
track_file state {
  file /run/state
}
virtual_server 192.0.2.1 80 {
  protocol TCP
  lb_algo rr
  lb_kind NAT
  ${around}
  real_server 10.0.0.1 80 {
    ${kind} {
      ${required[kind] ?? ''}
      ${words}
    }
  }
}`
  const { config } = await loadConfig('/x', { checkers, read: filesInMemory(new Map([['/x', text]])) })
  const service = config?.virtualServers[0]
  if (service === undefined) throw new Error(`${kind}: there is no virtual server`)
  const pool = createPool(service, { since: 0 })
  pool.begin(0)
  return [...desiredTable([pool]).values()][0]?.destinations.size === 1
}

const kinds = checkers.filter(({ block }) => 'alpha' in block.fields).map(({ keyword }) => keyword)

// shows * alpha
test.for(kinds)('%s: alpha', async (kind) => {
  expect(await thereAtStart(kind, '')).toBe(true)
  expect(await thereAtStart(kind, 'alpha')).toBe(false)
  expect(await thereAtStart(kind, '', 'alpha')).toBe(false)
  expect(await thereAtStart(kind, 'alpha off', 'alpha')).toBe(true)
})

test('FILE_CHECK has none: what is in the file is known at once', async () => {
  expect(await thereAtStart('FILE_CHECK', '', 'alpha')).toBe(true)
})
