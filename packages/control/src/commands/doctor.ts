import { count, describeError } from '@ipvs-director/core'
import { ControlError } from '../control-error.ts'
import type { Diagnosis, DoctorWish, Finding, RealServerMethod, StrayAddresses } from '../doctor-tools.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Status } from '../model.ts'
import type { Tone } from '../paint.ts'
import { paragraph, type Screen } from '../screen.ts'
import { printable } from '../text.ts'
import { statusOf, usualFile } from './config-file.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface DoctorOptions {
  /** Undefined: the director's own. */
  readonly file: string | undefined
  readonly configId: string | undefined
  readonly realServer: boolean
  readonly vips: readonly string[]
  readonly method: RealServerMethod
  readonly fix: boolean
  /** What is fine, too. */
  readonly all: boolean
  readonly json: boolean
}

/** `ipvs-ctl doctor`: whether this machine is fit to be a director, or a real server. 1 where something is bad. */
export async function runDoctor(context: CommandContext, options: DoctorOptions): Promise<ExitStatus> {
  const { realServer, vips, method, fix, configId } = options
  const running = realServer ? undefined : await statusOf(context.client)
  const diagnosis = await examine(context, {
    file: realServer ? '' : (options.file ?? running?.config.file ?? usualFile),
    configId,
    strays: running === undefined ? undefined : straysOf(running),
    realServer: realServer ? { vips, method } : undefined,
    fix,
  })
  const ok = diagnosis.findings.every(({ verdict }) => verdict !== 'bad')
  if (options.json) printAnswer(context, { ok, ...diagnosis })
  else printLines(context, doctorScreen(diagnosis, outScreen(context), options.all))
  return ok ? exitStatus.ok : exitStatus.refused
}

const straysOf = ({ vrrp }: Status): StrayAddresses[] =>
  (vrrp?.instances ?? []).flatMap(({ name, strays: addresses = [] }) =>
    addresses.length === 0 ? [] : [{ instance: name, addresses }],
  )

async function examine({ tools }: CommandContext, wish: DoctorWish): Promise<Diagnosis> {
  const doctor = await tools.doctor()
  try {
    return await doctor(wish)
  } catch (error) {
    throw new ControlError('refused', describeError(error), { code: 'doctor' })
  }
}

const tones: Record<Finding['verdict'], Tone> = {
  bad: 'bad',
  warning: 'warn',
  unknown: 'dim',
  note: 'dim',
  fine: 'good',
}

/** A diagnosis as lines. What is fine is only counted, unless all is asked for. */
export function doctorScreen({ findings, done, keep }: Diagnosis, screen: Screen, all: boolean): string[] {
  const shown = findings.filter(({ verdict }) => all || verdict !== 'fine')
  return [
    ...done.flatMap((command) => paragraph(screen, `done: ${command}`, { tone: 'good', rest: '      ' })),
    ...shown.flatMap((finding) => findingLines(finding, screen)),
    ...keep.flatMap(({ file, lines }) => [
      ...paragraph(screen, `to keep it so over a reboot, in ${file}:`),
      ...lines.map((line) => `    ${line}`),
    ]),
    ...paragraph(screen, sum(findings), { tone: findings.some(({ verdict }) => verdict === 'bad') ? 'bad' : 'good' }),
  ]
}

function findingLines(finding: Finding, screen: Screen): string[] {
  const head = paragraph(screen, `${finding.verdict}: ${printable(finding.text)}`, { tone: tones[finding.verdict] })
  if (!('why' in finding)) return head
  // Commands stand on lines of their own, whole: they are there to be copied.
  return [
    ...head,
    ...paragraph(screen, finding.why, { indent: '    ', rest: '    ' }),
    ...finding.mend.map((command) => `    $ ${command}`),
  ]
}

function sum(findings: readonly Finding[]): string {
  const of = (verdict: Finding['verdict']): number => findings.filter((each) => each.verdict === verdict).length
  const unknown = of('unknown') === 0 ? '' : `, ${of('unknown')} not seen`
  return `${count(findings.length, 'look')}: ${of('bad')} bad, ${count(of('warning'), 'warning')}, ${of('fine') + of('note')} fine${unknown}`
}
