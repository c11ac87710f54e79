import { closest } from './closest.ts'
import { commonOptions, knownCommands } from './command-names.ts'

/** The parser's complaint in our words: what is wrong, what may have been meant, where help is. Ends with a line end. */
export function explainMisuse(complaint: string, argv: readonly string[]): string {
  const [first] = argv.filter((word) => !word.startsWith('-'))
  const command = knownCommands.find(({ name }) => name === first)
  const help = `Try: ipvs-ctl ${command === undefined ? '' : `${command.name} `}--help\n`
  if (first !== undefined && command === undefined) {
    const names = knownCommands.map(({ name }) => name)
    return `ipvs-ctl: unknown command "${first}"${meant(closest(first, names))}\n${help}`
  }
  return `ipvs-ctl: ${reword(complaint, argv, command?.name, command?.options ?? [])}\n${help}`
}

function reword(
  complaint: string,
  argv: readonly string[],
  command: string | undefined,
  options: readonly string[],
): string {
  const unknown = /^Unknown arguments?: ([^,]+)/.exec(complaint)?.[1]
  if (unknown !== undefined) {
    const written = argv
      .map((word) => word.replace(/=.*/s, ''))
      .find((word) => /^-/.test(word) && word.includes(unknown))
    if (written === undefined) return `one word too many: "${unknown}"`
    return `unknown option "${written}"${meant(closest(written, [...options, ...commonOptions]))}`
  }
  if (complaint.startsWith('Not enough non-option')) return `"${command ?? ''}" needs to be told what`
  const valueless = /^Not enough arguments following: (.+)$/.exec(complaint)?.[1]
  if (valueless !== undefined) return `--${valueless} takes a value`
  return complaint === '' ? 'no command given' : complaint.replace(/\s+/g, ' ')
}

function meant(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : `; did you mean ${suggestions.map((one) => `"${one}"`).join(' or ')}?`
}
