import { topologies } from './topologies.ts'

/** What the lab's command line asks for. */
export interface LabArguments {
  readonly shell: boolean
  /** Which ready-made lab to bring up; with `shell` the default is dr. */
  readonly topology: keyof typeof topologies | undefined
  /** Where the prompt opens or the command runs; default the director for a prompt, else the machine itself. */
  readonly host: string | undefined
  /** Seconds. */
  readonly timeout: number | undefined
  /** This process already runs on the kernel that was chosen. */
  readonly inside: boolean
  readonly command: readonly string[]
}

export const usage = `usage: npm run lab -- COMMAND …
       npm run lab -- [--topology ${Object.keys(topologies).join('|')}] [--host HOST] [--timeout SECONDS] -- COMMAND …
       npm run lab -- --shell [HOST] [--topology …]`

/**
 * Reads the command line; a text is what is wrong with it. Options end at the first word that is none, so that the
 * command keeps its own.
 */
export function parseLabArguments(words: readonly string[]): LabArguments | string {
  const rest = [...words]
  const wish = { shell: false, inside: false } as { -readonly [Key in keyof LabArguments]?: LabArguments[Key] }
  const value = (): string => rest.shift() ?? ''
  while (rest[0]?.startsWith('-') === true) {
    const option = value()
    if (option === '--') break
    else if (option === '--shell') {
      wish.shell = true
      if (rest.at(0)?.startsWith('-') === false) wish.host = value()
    } else if (option === '--inside') wish.inside = true
    else if (option === '--host') wish.host = value()
    else if (option === '--timeout') wish.timeout = Number(value())
    else if (option === '--topology') {
      const name = value()
      if (!isTopology(name)) return `no topology "${name}"; there are ${Object.keys(topologies).join(', ')}`
      wish.topology = name
    } else return `unknown option ${option}`
  }
  if (wish.timeout !== undefined && !(wish.timeout > 0)) return '--timeout wants a number of seconds'
  const { shell = false, inside = false, topology, host, timeout } = wish
  return { shell, inside, host, timeout, topology: topology ?? (shell ? 'dr' : undefined), command: rest }
}

const isTopology = (name: string): name is keyof typeof topologies => Object.hasOwn(topologies, name)
