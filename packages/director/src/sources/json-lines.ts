export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** More characters without an end of line are no answer of anybody. */
const longestLine = 16 * 1024 * 1024

/** The JSON values of a stream with one on each line, as they come. */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > longestLine) throw new Error('a line without an end')
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as unknown
  }
}
