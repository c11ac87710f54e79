import type { Script } from './place.ts'
import { type Json, type Kind, wordOf } from './kind.ts'
import { joinCommand, splitCommand } from './command-line.ts'

/** The words of a command line; there is a program. */
const commandSchema = {
  type: 'array',
  prefixItems: [{ type: 'string', minLength: 1 }],
  items: { type: 'string' },
  minItems: 1,
}

/**
 * `"CMD ARGS"`. The line is split twice by the rules of {@link splitCommand}: into the command and further words (which
 * keepalived ignores, and the reader remarks on), then the command into its words.
 */
export const commandKind: Kind<Script> = {
  syntax: '"CMD"',
  range: '',
  read(words) {
    const line = words.take()
    if (line === undefined) return words.missing('a command line')
    const split = splitCommand(line)
    if (split.problem !== undefined) return words.bad('E027', split.problem)
    if (split.words.length === 0 || split.words[0] === '') return words.bad('E027', 'the command line is empty')
    return { words: split.words, place: words.place() }
  },
  toJson: (script) => ({ command: script.words }),
  words: (json) => [joinCommand((json as { readonly command: readonly string[] }).command)],
  schema: {
    type: 'object',
    properties: { command: commandSchema },
    required: ['command'],
    additionalProperties: false,
  },
  escaped: true,
  runs: true,
}

/** The name of a user or group. */
const account = /^:?[A-Za-z0-9_][\w.@-]*$/

/** `"CMD ARGS" [USER [GROUP]]`: an unquoted second word is the user, not an argument. */
export const scriptKind: Kind<Script> = {
  syntax: '"CMD" [USER [GROUP]]',
  range: '',
  read(words) {
    const command = commandKind.read(words)
    if (command === undefined || words.left === 0) return command
    const user = words.take() ?? ''
    if (!account.test(user)) {
      return words.bad(
        'E043',
        `"${user}" is taken as the user that runs the script; quote the command with its arguments`,
      )
    }
    const group = words.take()
    if (group !== undefined && !account.test(group))
      return words.bad(
        'E043',
        `"${group}" is taken as the group that runs the script; quote the command with its arguments`,
      )
    return group === undefined ? { ...command, user } : { ...command, user, group }
  },
  toJson: ({ words, user, group }) => ({
    command: words,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
  }),
  words(json) {
    const { command, user, group } = json as { readonly [key: string]: Json }
    const line = joinCommand(command as readonly string[])
    return user === undefined
      ? [line]
      : group === undefined
        ? [line, wordOf(user)]
        : [line, wordOf(user), wordOf(group)]
  },
  schema: {
    type: 'object',
    properties: {
      command: commandSchema,
      user: { type: 'string', pattern: account.source },
      group: { type: 'string', pattern: account.source },
    },
    required: ['command'],
    dependentRequired: { group: ['user'] },
    additionalProperties: false,
  },
  escaped: true,
  runs: true,
}

/** One word, its quotes and escapes resolved like a command line's; blanks stay. */
export const quotedKind: Kind<string> = {
  syntax: '"TEXT"',
  range: '',
  read(words) {
    const word = words.take()
    if (word === undefined) return words.missing('a text')
    return word
  },
  toJson: (value) => value,
  words: (json) => [wordOf(json)],
  escaped: true,
  schema: { type: 'string' },
}

/** A script, or the bare keyword, which is `true`: the state is told, and nothing is run of its own. */
export const scriptOrBareKind: Kind<Script | true> = {
  ...scriptKind,
  syntax: `[${scriptKind.syntax}]`,
  toJson: (value) => value === true || scriptKind.toJson(value),
  words: (json) => (json === true ? [] : scriptKind.words(json)),
  schema: { oneOf: [{ const: true }, scriptKind.schema] },
}
