import { expect, test } from 'vitest'
import { requestText, type HttpRequest } from './request.ts'

const get: HttpRequest = { method: 'GET', path: '/a?b=c', host: 'example.org', headers: [], body: undefined }

test.for([
  ['1.0', 'GET /a?b=c HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: example.org\r\n\r\n'],
  ['1.0C', 'GET /a?b=c HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: example.org\r\n\r\n'],
  ['1.1', 'GET /a?b=c HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: example.org\r\n\r\n'],
] as const)('http_protocol %s', ([protocol, bytes]) => {
  expect(requestText(get, protocol)).toBe(bytes)
})

test('own method, headers and body', () => {
  const post = { ...get, method: 'POST', headers: ['Content-Type: text/plain', 'X-Check: 1'], body: 'ä!' }
  expect(requestText(post, '1.1')).toBe(
    'POST /a?b=c HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: example.org\r\n' +
      'Content-Type: text/plain\r\nX-Check: 1\r\nContent-Length: 3\r\n\r\nä!',
  )
})
