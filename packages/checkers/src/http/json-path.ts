/** A step into a JSON value: a member by name, or an element by number (negative: from the end). */
export type JsonStep = string | number

const step = /\.([A-Za-z_][\w-]*)|\[(-?\d{1,9})\]|\[(?:"([^"]*)"|'([^']*)')\]/y

/** A path as RFC 9535 writes those to a single value: `$`, then `.name`, `["name"]` or `[0]`. Undefined: it is none. */
export function readJsonPath(text: string): readonly JsonStep[] | undefined {
  if (!text.startsWith('$')) return undefined
  const steps: JsonStep[] = []
  step.lastIndex = 1
  while (step.lastIndex < text.length) {
    const found = step.exec(text)
    if (found === null) return undefined
    const [, name, index, double, single] = found as readonly (string | undefined)[]
    steps.push(index === undefined ? (name ?? double ?? single ?? '') : Number(index))
  }
  return steps
}

/** What is there; undefined where nothing is. Only what the value has itself counts. */
export function valueAt(value: unknown, steps: readonly JsonStep[]): unknown {
  let at = value
  for (const each of steps) {
    if (typeof each === 'number') at = Array.isArray(at) ? at.at(each) : undefined
    else if (typeof at === 'object' && at !== null && Object.hasOwn(at, each))
      at = (at as Record<string, unknown>)[each]
    else return undefined
  }
  return at
}
