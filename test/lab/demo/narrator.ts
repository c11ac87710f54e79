/** Tells the walk on standard output and holds what it claims against what was seen. */
export interface Narrator {
  /** The next step's title. */
  readonly step: (title: string) => void
  readonly say: (...lines: readonly string[]) => void
  /** A command as somebody would type it on that host, and what it printed. */
  readonly shell: (host: string, command: string, output: string) => void
  /** Says what was seen; throws when it was not, which ends the walk as a failure. */
  readonly claim: (seen: boolean, text: string) => void
}

/** A narrator that numbers its steps and uses colour where `colour` says so. */
export function narrator(colour: boolean): Narrator {
  const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
  let steps = 0
  const print = (line: string): void => {
    process.stdout.write(`${line}\n`)
  }
  return {
    step(title) {
      print(`\n${paint(1, `${++steps}. ${title}`)}`)
    },
    say(...lines) {
      for (const line of lines) print(`   ${line}`)
    },
    shell(host, command, output) {
      print(`   ${paint(36, `${host}#`)} ${paint(1, command)}`)
      if (output !== '') for (const line of output.trimEnd().split('\n')) print(`     ${line}`.trimEnd())
    },
    claim(seen, text) {
      if (!seen) throw new Error(`this was not seen: ${text}`)
      print(`   ${paint(32, '✓')} ${text}`)
    },
  }
}
