import { block, boolean, connection, dataPath, quoted, timing, type CheckConnection } from '@ipvs-director/config'
import { formatDuration, millis, seconds } from '@ipvs-director/core'
import { defineChecker, type Probe } from '../define.ts'
import type { Connection } from '../io/port.ts'
import { targetOf } from '../io/target.ts'
import { fail, failed, pass, ProbeFailure, type Finding } from '../verdict.ts'
import { agentWeight, readAgentReply, silentAgent, type AgentState } from './reply.ts'

/** AGENT_CHECK as its probe gets it. */
export interface AgentOptions {
  /** What is sent first, as hexadecimal text. */
  readonly send: string | undefined
  /** An agent that does not answer is a failure; otherwise it only says nothing new. */
  readonly required: boolean
  /** The configured weight of the real server. */
  readonly weight: number
}

/** Longest line that is read. */
const maxLine = 4096

/** What agents said last, while their checks are there. */
const states = new WeakMap<AgentOptions, AgentState>()

/**
 * AGENT_CHECK, of our own: a program on the server says how the server is, as HAProxy's agent-check has it. Like there,
 * one that cannot be reached changes nothing, unless told otherwise.
 */
export const agentCheck = defineChecker({
  block: block(
    'AGENT_CHECK',
    "A program on the server says by one line how it is, as for HAProxy's agent-check: up, down, drain, maint, 75%.",
    {
      send: quoted('send', { extension: true, doc: 'Text to send first, with escapes such as \\n.' }),
      required: boolean('agent_required', {
        extension: true,
        default: false,
        doc: 'An agent that does not answer is a failure; without it, it changes nothing.',
      }),
      ...connection,
      ...dataPath,
      ...timing,
    },
    { extension: true },
  ),
  defaults: { retry: 0, delayBeforeRetry: seconds(1) },
  deadline: ({ timeout }) => millis(timeout * 2),
  unseen: ({ required }: AgentOptions) => (required ? [] : ['refused', 'silent']),
  complete: ({ send, required }, around) => ({
    options: {
      send: send === undefined ? undefined : Buffer.from(send).toString('hex'),
      required,
      weight: around.realServer.weight,
    } satisfies AgentOptions,
  }),
  async probe({ options, attempt, io }: Probe<AgentOptions>, at: CheckConnection): Promise<Finding> {
    const { where } = targetOf(at)
    const before = states.get(options) ?? silentAgent
    let opened: Connection | undefined
    try {
      opened = await io.connect(at, attempt)
      if (options.send !== undefined) opened.write(Buffer.from(options.send, 'hex'))
      const line = await readLine(opened)
      const after = readAgentReply(before, line)
      if (after === undefined)
        throw new ProbeFailure('protocol', `an agent does not say "${shortened(line)}": ${where}`)
      states.set(options, after)
      return findingOf(after, options, `by ${where} after ${formatDuration(attempt.elapsed())}`)
    } catch (error) {
      const finding = failed(error)
      if (finding.class === 'local' || options.required) return finding
      return findingOf(before, options, `as before: ${finding.reason}`)
    } finally {
      opened?.close()
    }
  },
})

async function readLine(opened: Connection): Promise<string> {
  let text = ''
  await opened.read((chunk) => {
    text += chunk.toString('latin1')
    if (text.length > maxLine) throw new ProbeFailure('protocol', `a line longer than ${maxLine} bytes`)
    return text.includes('\n')
  })
  return text.split(/[\r\n]/, 1)[0] ?? ''
}

function findingOf(state: AgentState, { weight }: AgentOptions, seen: string): Finding {
  if (state.admin === 'maint') return fail('mismatch', `said to be in maintenance ${seen}`)
  if (!state.up) return fail('mismatch', `said to be ${state.words} ${seen}`)
  const asked = agentWeight(state, weight)
  return pass(`said to be ${state.admin === 'drain' ? 'draining' : 'up'}, weight ${asked}, ${seen}`, asked)
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
