import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { ControlError, explain } from './control-error.ts'
import type { Event, Problem } from './model.ts'

/** The events of an answer in JSON lines, as they come. Throws a ControlError when the director says why it stops. */
export async function* readEvents(response: IncomingMessage, path: string): AsyncGenerator<Event, void, undefined> {
  const lines = createInterface({ input: response, crlfDelay: Infinity })
  const broken = new Promise<never>((_, reject) => {
    response.once('error', reject)
  })
  broken.catch(() => undefined)
  try {
    const each = lines[Symbol.asyncIterator]()
    for (;;) {
      const next: IteratorResult<string, unknown> = await Promise.race([each.next(), broken])
      if (next.done === true) return
      yield parseLine(next.value, path)
    }
  } catch (error) {
    throw explain(error, path)
  } finally {
    lines.close()
    response.destroy()
  }
}

function parseLine(line: string, path: string): Event {
  let value: Event | Problem
  try {
    value = JSON.parse(line) as Event | Problem
  } catch (cause) {
    throw new ControlError('broken', `what listens on ${path} does not answer as a director does`, { cause })
  }
  if ('error' in value) throw new ControlError('refused', value.error.message, { code: value.error.code })
  return value
}
