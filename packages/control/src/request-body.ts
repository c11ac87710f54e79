import type { IncomingMessage } from 'node:http'
import type { ControlLimits } from './limits.ts'
import { HttpProblem } from './problem.ts'

/**
 * The request's body as a JSON object; empty counts as `{}`. Throws an HttpProblem: 413 for more than
 * `limits.bodyBytes`, 400 for what is not a JSON object or has a member that is not `allowed`.
 */
export async function readBody(
  request: IncomingMessage,
  limits: ControlLimits,
  allowed: readonly string[],
): Promise<Record<string, unknown>> {
  const text = await readText(request, limits.bodyBytes)
  if (text.trim() === '') return {}
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpProblem(400, 'bad-request', 'the body is not a JSON object')
  }
  for (const name of Object.keys(value)) {
    if (!allowed.includes(name)) {
      const known = allowed.length === 0 ? 'none is allowed here' : `allowed: ${allowed.join(', ')}`
      throw new HttpProblem(400, 'bad-request', `unknown member ${JSON.stringify(name)} in the body; ${known}`)
    }
  }
  return Object.fromEntries(Object.entries(value))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new HttpProblem(400, 'bad-request', 'the body is not JSON')
  }
}

function readText(request: IncomingMessage, most: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const refuse = (): void => {
      chunks.length = 0
      reject(new HttpProblem(413, 'too-large', `the body has more than ${most} bytes`))
    }
    if (Number(request.headers['content-length'] ?? 0) > most) {
      refuse()
      return
    }
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) refuse()
      else chunks.push(chunk)
    })
    request.once('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'))
    })
    request.once('error', () => {
      reject(new HttpProblem(400, 'bad-request', 'the request was cut off'))
    })
  })
}
