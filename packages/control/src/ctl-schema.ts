import type { CheckEntry, ServerEntry } from './commands/lists.ts'
import type { CodeExplanation, ConfigPlace, ConfigRemark, CheckedConfig } from './config-tools.ts'
import type { Explanation } from './commands/explain.ts'
import type { Diagnosis } from './doctor-tools.ts'
import type { Status, Version, VrrpStatus } from './model.ts'
import { controlSchema } from './schema.ts'
import { flag, listOf, maybe, moment, object, published, ref, schemaVersion, text, whole, type JsonSchema } from './schema-pieces.ts' // prettier-ignore

/** What every answer begins with. */
interface Versioned {
  readonly schema: 1
}
const versioned = { schema: schemaVersion }

/** A reply of the control API as it is printed: with the version before it. */
const printed = (name: keyof typeof controlSchema.$defs, description: string): JsonSchema => {
  const { properties, required } = controlSchema.$defs[name] as { properties: object; required: readonly string[] }
  return { type: 'object', description, properties: { ...versioned, ...properties }, required: ['schema', ...required] }
}

const severity: JsonSchema = { enum: ['error', 'warning', 'note'] }

const vrrpMembers = controlSchema.$defs.VrrpStatus['properties'] as Record<keyof VrrpStatus, JsonSchema>

const definitions = {
  ServersAnswer: object<Versioned & { at: number; servers: readonly ServerEntry[] }>('ipvs-ctl servers --json', {
    ...versioned,
    at: moment('When the director made this answer.'),
    servers: listOf(ref('ServerEntry')),
  }),
  ServerEntry: withMembers('ServerStatus', 'A real server, with the virtual server it belongs to.', {
    virtualServer: text('Name of the virtual server.'),
  }),
  ChecksAnswer: object<Versioned & { at: number; checks: readonly CheckEntry[] }>('ipvs-ctl checks --json', {
    ...versioned,
    at: moment('When the director made this answer.'),
    checks: listOf(ref('CheckEntry')),
  }),
  CheckEntry: withMembers('CheckStatus', 'A check, with the servers it belongs to.', {
    virtualServer: text('Name of the virtual server.'),
    server: text('Name of the real server.'),
  }),
  ExplainAnswer: object<Versioned & { explanations: readonly Explanation[] }>(
    'ipvs-ctl explain --json of a virtual or real server',
    { ...versioned, explanations: listOf(ref('Explanation'), 'One for each thing of that name.') },
  ),
  Explanation: object<Explanation>('What is said about one thing, for people.', {
    about: text('Its name and state.'),
    answers: listOf(
      object<Explanation['answers'][number]>('A question and its answer.', {
        question: text('why, why this weight, what would bring it back, …'),
        answer: text('A sentence.'),
      }),
    ),
  }),
  CodeAnswer: object<Versioned & CodeExplanation>('ipvs-ctl explain --json of a code; needs no director', {
    ...versioned,
    code: text('E030, W043, N010, …'),
    severity,
    title: text('In few words.'),
    keepalived: text('What keepalived -t makes of the same: ok, error, fatal, security, deprecated, ….'),
    doc: text('A paragraph for people.'),
  }),
  CheckAnswer: object<
    Versioned &
      Omit<CheckedConfig, 'diagnostics' | 'remarks'> & {
        file: string
        ok: boolean
        diagnostics: readonly (ConfigRemark & { rendered: string })[]
      }
  >('ipvs-ctl check --json; needs no director', {
    ...versioned,
    file: text('What was read.'),
    ok: flag('There is no error.'),
    errors: whole('How many.'),
    warnings: whole('How many.'),
    leftOut: listOf(text(), 'Blocks that are not in config because of errors, as their first lines name them.'),
    config: maybe({ description: 'The effective configuration without its secrets; members may change with any version.' }), // prettier-ignore
    counts: object<CheckedConfig['counts']>('What is in the file.', {
      vrrpInstances: whole('vrrp_instance'),
      virtualServers: whole('virtual_server'),
      realServers: whole('real_server'),
      checkers: whole('Checks.'),
    }),
    probing: maybe(ref('ProbingNeeds')),
    diagnostics: listOf(ref('Remark'), 'Errors first.'),
  }),
  Remark: object<ConfigRemark & { rendered: string }>('Something remarkable in a configuration.', {
    code: text('E030, W043, N010, …; ipvs-ctl explain tells about it.'),
    severity,
    text: text('A sentence.'),
    place: ref('Place'),
    excerpt: maybe(text('The line.')),
    suggestion: maybe(text('What was probably meant.')),
    related: maybe(listOf(object<{ place: ConfigPlace; text: string }>('Another place that has to do with it.', { place: ref('Place'), text: text() }))), // prettier-ignore
    rendered: text('All of that, as it is printed for people.'),
  }),
  Place: object<ConfigPlace>('In a file; lines and columns count from 1.', {
    file: text(),
    line: whole('From 1.'),
    column: whole('From 1.'),
    length: maybe(whole('Characters.')),
  }),
  DoctorAnswer: object<Versioned & Diagnosis & { ok: boolean }>('ipvs-ctl doctor --json; needs no director', {
    ...versioned,
    ok: flag('Nothing is bad.'),
    findings: listOf(ref('Finding'), 'Worst first.'),
    done: listOf(text(), 'What --fix changed, as commands.'),
    keep: listOf(
      object<Diagnosis['keep'][number]>('Lines of a file that keep it so over a reboot.', {
        file: text(),
        lines: listOf(text()),
      }),
    ),
  }),
  Finding: object<{ name: string; text: string; verdict: string; why?: string; mend?: readonly string[] }>(
    'What one look came to.',
    {
      name: text('What it is about, stable, for programs: arp-ignore.'),
      text: text('What was looked at, and what is there.'),
      verdict: { enum: ['bad', 'warning', 'note', 'unknown', 'fine'] },
      why: maybe(text('bad, warning: what happens because of it.')),
      mend: maybe(listOf(text(), 'bad, warning: commands that mend it.')),
    },
  ),
  DriftAnswer: printed('DriftReport', 'ipvs-ctl drift --json'),
  PlanAnswer: printed('Plan', 'ipvs-ctl plan --json; status 1 where ok is false'),
  ReloadAnswer: printed('ReloadResult', 'ipvs-ctl reload --json; status 1 where ok is false'), // prettier-ignore
  ConfirmAnswer: object<Versioned & { confirmed: true }>('ipvs-ctl confirm --json', {
    ...versioned,
    confirmed: { const: true },
  }),
  Steered: printed('SteerAnswer', 'ipvs-ctl drain --json, disable, enable, weight, …'), // prettier-ignore
  SteerRefused: printed('SteerRefusal', 'ipvs-ctl add-service --json of a text that cannot be used; status 1'),
  VrrpAnswer: object<Versioned & VrrpStatus & { at: number }>('ipvs-ctl vrrp --json', {
    ...versioned,
    at: moment('When the director made this answer.'),
    ...vrrpMembers,
    trackers: maybe(vrrpMembers.trackers),
    interfaces: maybe(vrrpMembers.interfaces),
    strangers: maybe(vrrpMembers.strangers),
  }),
  VrrpDone: object<Versioned & { action: string; instance: string }>('ipvs-ctl vrrp move --json, hold, release', {
    ...versioned,
    action: { enum: ['move', 'hold', 'release'] },
    instance: text('What was switched over.'),
  }),
  ProbersAnswer: object<Versioned & Pick<Status, 'at' | 'probers' | 'probing'>>('ipvs-ctl probers --json', {
    ...versioned,
    at: moment('When the director made this answer.'),
    probers: listOf(ref('ProberStatus')),
    probing: maybe(ref('ProbingNeeds')),
  }),
  ProberDone: object<Versioned & { action: string; prober: string }>('ipvs-ctl probers restart --json', {
    ...versioned,
    action: { enum: ['restart'] },
    prober: text('Its name.'),
  }),
  StopAnswer: object<Versioned & { stopping: true; keep: boolean }>('ipvs-ctl stop --json', {
    ...versioned,
    stopping: { const: true, description: 'It has agreed; it is not gone yet.' },
    keep: flag("The kernel's table stays."),
  }),
  VersionAnswer: object<Versioned & { ctl: string; node: string; director: Version | { error: string } }>(
    'ipvs-ctl version --json',
    {
      ...versioned,
      ctl: text('Version of ipvs-ctl.'),
      node: text('Version of Node.js.'),
      director: {
        anyOf: [ref('Version'), object<{ error: string }>('None answers.', { error: text('Why.') })],
      },
    },
  ),
} as const satisfies Record<string, JsonSchema>

/** A reply of the control API with further members before it. */
function withMembers(
  name: keyof typeof controlSchema.$defs,
  description: string,
  more: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const { properties, required } = controlSchema.$defs[name] as { properties: object; required: readonly string[] }
  return {
    type: 'object',
    description,
    properties: { ...more, ...properties },
    required: [...Object.keys(more), ...required],
  }
}

/** A kind of answer that has a schema. */
export type AnswerName = keyof typeof definitions | keyof typeof controlSchema.$defs

/** What `ipvs-ctl COMMAND --json` prints, as one JSON Schema with a definition for each; configs/ipvs-ctl.schema.json. */
export const ctlSchema: JsonSchema & {
  readonly $id: string
  readonly $defs: Readonly<Record<AnswerName, JsonSchema>>
} = published('ipvs-ctl', 'Answers of ipvs-ctl --json', { ...controlSchema.$defs, ...definitions })

const steered = ['Steered'] as const

/**
 * The definitions of what each command with `--json` prints. None: the configuration itself, by the schema in configs/.
 * `lines`: one value a line.
 */
export const answersOf: Readonly<Record<string, { readonly names: readonly AnswerName[]; readonly lines?: boolean }>> =
  {
    status: { names: ['Status'] },
    servers: { names: ['ServersAnswer'] },
    checks: { names: ['ChecksAnswer'] },
    explain: { names: ['ExplainAnswer', 'CodeAnswer'] },
    check: { names: ['CheckAnswer'] },
    config: { names: [] },
    doctor: { names: ['DoctorAnswer'] },
    reload: { names: ['ReloadAnswer'] },
    confirm: { names: ['ConfirmAnswer'] },
    plan: { names: ['PlanAnswer'] },
    drain: { names: steered },
    disable: { names: steered },
    enable: { names: steered },
    weight: { names: steered },
    force: { names: steered },
    maintenance: { names: steered },
    add: { names: steered },
    remove: { names: steered },
    'remove-service': { names: steered },
    reset: { names: steered },
    'add-service': { names: ['Steered', 'SteerRefused'] },
    vrrp: { names: ['VrrpAnswer', 'VrrpDone'] },
    probers: { names: ['ProbersAnswer', 'ProberDone'] },
    drift: { names: ['DriftAnswer'] },
    events: { names: ['Event'], lines: true },
    stop: { names: ['StopAnswer'] },
    version: { names: ['VersionAnswer'] },
  }
