/** What an agent has said so far: each answer changes what it speaks of, and leaves the rest. */
export interface AgentState {
  readonly admin: 'ready' | 'drain' | 'maint'
  readonly up: boolean
  /** Percent of the configured weight. */
  readonly percent: number
  /** What it said with down, stopped or fail. */
  readonly words: string
}

/** Before the first answer: as configured. */
export const silentAgent: AgentState = { admin: 'ready', up: true, percent: 100, words: '' }

/** The kernel's largest weight is the end of any percentage; more digits are nonsense. */
const maxPercent = 100_000

/**
 * Reads an answer as HAProxy's `agent-check` does: one line of words between blanks or commas, in any case: `75%`, `up`,
 * `down`, `stopped`, `fail` (these three with `#` and words for people), `ready`, `drain`, `maint`; `maxconn:N` has no
 * meaning here. Undefined when it says nothing that is understood.
 */
export function readAgentReply(state: AgentState, line: string): AgentState | undefined {
  const hash = line.indexOf('#')
  const words = (hash < 0 ? line : line.slice(0, hash)).split(/[ \t,]+/).filter((word) => word !== '')
  const description = hash < 0 ? '' : line.slice(hash + 1).trim()
  let after = state
  let understood = false
  for (const word of words) {
    const change = meaningOf(word.toLowerCase(), description)
    if (change === undefined) continue
    understood = true
    after = { ...after, ...change }
  }
  return understood ? after : undefined
}

function meaningOf(word: string, description: string): Partial<AgentState> | undefined {
  switch (word) {
    case 'ready':
    case 'drain':
    case 'maint':
      return { admin: word }
    case 'up':
      return { up: true, words: '' }
    case 'down':
    case 'stopped':
    case 'fail':
      return { up: false, words: description === '' ? word : `${word}: ${description}` }
  }
  if (word.startsWith('maxconn:')) return {}
  const percent = /^(\d{1,9})%$/.exec(word)?.[1]
  return percent === undefined ? undefined : { percent: Math.min(maxPercent, Number(percent)) }
}

/** The weight an agent asks for, of the configured one: rounded up, so that a little is never nothing. */
export function agentWeight({ admin, percent }: AgentState, configured: number): number {
  return admin === 'drain' ? 0 : Math.min(2 ** 31 - 1, Math.ceil((configured * percent) / 100))
}
