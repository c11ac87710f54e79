import { block, first, integerKind, mark, phraseKind, text, value } from '@ipvs-director/config'
import { millis } from '@ipvs-director/core'
import { defineWatchingChecker } from './define.ts'
import { fail, pass, type Finding } from './verdict.ts'

/** FILE_CHECK as it is watched. */
export interface FileOptions {
  readonly path: string
  /** 0: the value itself decides; else value × factor is added to the weight. */
  readonly factor: number
  readonly reverse: boolean
  /** The configured weight of the real server. */
  readonly weight: number
}

/** To add this or less takes the server out, whatever its weight (reference: keepalived's track_file.c). */
const lowest = -(2 ** 31)

/** FILE_CHECK (keepalived's check_file.c): the number in a file decides about a server or its weight. */
export const fileCheck = defineWatchingChecker({
  block: block(
    'FILE_CHECK',
    'Up, down or of another weight as the number in a file says.',
    {
      trackFile: text('track_file', { required: true, syntax: 'NAME', doc: 'Name of the track_file.' }),
      weight: value(
        'weight',
        phraseKind(
          { value: first(integerKind({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 })), reverse: mark('reverse') },
          'N [reverse]',
        ),
        {
          inherits: 'track_file',
          doc: 'Multiplies the number, which is added to the weight; 0: any number but 0 is a failure.',
        },
      ),
    },
    { since: '2.1.0' },
  ),
  local: true,
  complete({ trackFile, weight }, around) {
    const named = trackFile === undefined ? undefined : around.definition('track_file', trackFile)
    if (trackFile === undefined) around.error('FILE_CHECK needs a track_file', 'track_file')
    else if (named === undefined) around.error(`no track_file is named "${trackFile}"`, 'track_file')
    const multiplied = weight ?? named?.weight
    const options: FileOptions = {
      path: named?.file ?? '',
      factor: multiplied?.value ?? 1,
      reverse: multiplied?.reverse ?? false,
      weight: around.realServer.weight,
    }
    return { options }
  },
  watch({ options, io, tell }) {
    let number: number | undefined
    return io.watchFile(options.path, (content) => {
      if ('problem' in content) {
        tell(fail('local', content.problem))
        return
      }
      number = readNumber(content.text ?? '') ?? number ?? 0
      tell(judge(options, number, content.text === undefined ? `there is no ${options.path}` : options.path))
    })
  },
  delays: () => ({ refused: millis(50), silent: millis(50), recovered: millis(50), successes: 1 }),
})

function judge({ factor, reverse, weight }: FileOptions, number: number, where: string): Finding {
  const seen = `${where}: ${number}`
  if (factor === 0) return (number === 0) === reverse ? fail('mismatch', seen) : pass(seen)
  const added = number * factor * (reverse ? -1 : 1)
  const sum = weight + added
  return added <= lowest ? fail('mismatch', `${seen}, weight ${sum}`) : pass(`${seen}, weight ${sum}`, sum)
}

/**
 * The number that a text begins with, as C's strtol reads it with base 0: 12, -3, 0x1f, 017. Anything else is 0;
 * undefined when it does not fit in 32 bits, which changes nothing.
 */
export function readNumber(text: string): number | undefined {
  const found = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))/.exec(text)
  if (found === null) return 0
  const [, sign, hex, octal, decimal] = found
  const size =
    hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : Number(decimal)
  const number = sign === '-' ? 0 - size : size
  return number >= -(2 ** 31) && number < 2 ** 31 ? number : undefined
}
