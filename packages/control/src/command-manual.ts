import { commonOptions, knownCommands } from './command-names.ts'
import { parseCommandLine } from './command-line.ts'

/** A flag or a word of a command, and what it is. */
export interface ManualEntry {
  readonly name: string
  readonly doc: string
}

/** What the help of a command says, as data: for the manual page. */
export interface CommandManual {
  readonly name: string
  /** `ipvs-ctl status [service]` */
  readonly usage: string
  readonly doc: string
  readonly words: readonly ManualEntry[]
  /** Without those that every command takes. */
  readonly options: readonly ManualEntry[]
}

/** Every command, in the order of the help. It is read from the help itself, so it cannot say something else. */
export async function commandManual(): Promise<{
  readonly commands: readonly CommandManual[]
  readonly common: readonly ManualEntry[]
}> {
  const commands: CommandManual[] = []
  for (const { name } of knownCommands) {
    const help = await helpOf(name)
    const [usage = '', , ...rest] = help.split('\n')
    const doc = rest.slice(0, rest.indexOf('')).join(' ')
    const own = entries(help, 'Options').filter(({ name: flags }) => !isCommon(flags))
    commands.push({ name, usage, doc, words: entries(help, 'Positionals'), options: own })
  }
  return { commands, common: entries(await helpOf(), 'Options') }
}

const isCommon = (flags: string): boolean => [...commonOptions, '--version'].some((one) => flags.endsWith(one))

async function helpOf(...words: readonly string[]): Promise<string> {
  const answer = await parseCommandLine([...words, '--help'], { version: '', columns: 100 })
  return 'output' in answer ? answer.output : ''
}

/** The entries below a heading; their texts go on in lines that are indented more. The parser's types are left out. */
export function entries(help: string, heading: string): ManualEntry[] {
  const lines = help.split('\n')
  const start = lines.indexOf(`${heading}:`)
  if (start < 0) return []
  const found: { name: string; doc: string }[] = []
  for (const line of lines.slice(start + 1)) {
    if (line === '') break
    const match = /^ {2}(?: {4})?(\S+(?: --\S+)?) {2,}(.*)$/.exec(line)
    const last = found.at(-1)
    if (match !== null && !/^ {8}/.test(line)) found.push({ name: match[1] ?? '', doc: match[2] ?? '' })
    else if (last !== undefined) last.doc += ` ${line.trim()}`
  }
  return found.map(({ name, doc }) => ({ name, doc: doc.replace(/\s+(\[[^\]]*\]\s*)+$/, '').replace(/\s+/g, ' ') }))
}
