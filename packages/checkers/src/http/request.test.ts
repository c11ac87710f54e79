import { expect, test } from 'vitest'
import { requestText } from './request.ts'

test.for([
  ['1.0', 'GET /a?b=c HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: example.org\r\n\r\n'],
  ['1.0C', 'GET /a?b=c HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: example.org\r\n\r\n'],
  ['1.1', 'GET /a?b=c HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: example.org\r\n\r\n'],
] as const)('http_protocol %s', ([protocol, bytes]) => {
  expect(requestText('/a?b=c', protocol, 'example.org')).toBe(bytes)
})
