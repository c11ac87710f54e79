import { count } from '@ipvs-director/core'
import type { Status, VrrpInstanceStatus, VrrpPriority, VrrpStatus } from './model.ts'
import type { Tone } from './paint.ts'
import { ago, briefly, lengthy } from './quantities.ts'
import { paragraph, type Screen } from './screen.ts'
import { printable } from './text.ts'

const tones = {
  init: 'warn',
  backup: 'strong',
  master: 'good',
  fault: 'alarm',
  stopped: 'warn',
} as const satisfies Record<VrrpInstanceStatus['state'], Tone>

/** One line for each instance, and what must not be overlooked: the part of `ipvs-ctl status`. */
export function vrrpSummary({ vrrp, vrrpSilent = [], at }: Status, screen: Screen): string[] {
  if (vrrpSilent.length > 0) {
    const text = `! VRRP IS SILENT: its process does not answer; nothing is known of ${vrrpSilent.map(printable).join(', ')}`
    return ['', ...paragraph(screen, text, { tone: 'alarm' })]
  }
  if (vrrp === undefined || vrrp.instances.length === 0) return []
  return [
    '',
    ...vrrp.instances.flatMap((instance) => [
      ...paragraph(screen, headline(instance, at), { tone: tones[instance.state] }),
      ...troubles(instance, at, screen),
    ]),
  ]
}

/** Everything there is to know of the instances: `ipvs-ctl vrrp`. */
export function vrrpScreen(vrrp: VrrpStatus, at: number, screen: Screen, name?: string): string[] {
  const { pid, restarts, lag } = vrrp
  const lateness = `event loop late by ${lag.mean.toFixed(1)} ms, ${lag.worst.toFixed(0)} at worst`
  const again = restarts === 0 ? '' : `, ${count(restarts, 'restart')}`
  return [
    ...paragraph(screen, `vrrp process ${pid}${again}, ${lateness}`, { tone: 'dim' }),
    ...vrrp.groups.flatMap((group) =>
      paragraph(
        screen,
        `sync group ${printable(group.name)}: ${group.state.toUpperCase()} for ${briefly(at - group.since)}: ${group.members.map(printable).join(', ')}`,
        { tone: tones[group.state] },
      ),
    ),
    ...vrrp.instances
      .filter((instance) => name === undefined || instance.name === name)
      .flatMap((instance) => ['', ...instanceView(instance, at, screen)]),
  ]
}

function headline({ name, state, since, group }: VrrpInstanceStatus, at: number): string {
  const of = group === undefined ? '' : ` (group ${printable(group)})`
  return `vrrp ${printable(name)}${of}: ${state.toUpperCase()} for ${briefly(at - since)}`
}

function instanceView(instance: VrrpInstanceStatus, at: number, screen: Screen): string[] {
  const indent = { indent: '  ' }
  const { why, virtualRouterId, version, interval, masterInterval, masterDownInterval, master, leaseLeft } = instance
  const where = instance.interface === undefined ? '' : ` on ${printable(instance.interface)}`
  const adopted = masterInterval === interval ? '' : ` (the master's ${masterInterval} ms)`
  const pace = `adverts every ${interval} ms${adopted}, takes over after ${Math.round(masterDownInterval)} ms of silence`
  return [
    ...paragraph(screen, headline(instance, at), { tone: tones[instance.state] }),
    ...paragraph(screen, printable(why), indent),
    ...paragraph(screen, `VRID ${virtualRouterId}${where}, VRRPv${version}, ${pace}`, indent),
    ...paragraph(screen, `priority ${sum(instance.priority)}`, indent),
    ...paragraph(
      screen,
      `addresses ${instance.addresses.map(printable).join(', ') || 'none'}${leaseLeft === undefined ? '' : `; lease ${lengthy(leaseLeft)} more`}`,
      indent,
    ),
    ...(master === undefined
      ? []
      : paragraph(
          screen,
          `master ${printable(master.address)}, priority ${master.priority}, heard ${Math.round(master.heardAgo)} ms ago`,
          indent,
        )),
    ...peers(instance, at, screen),
    ...timers(instance, screen),
    ...counters(instance, screen),
    ...troubles(instance, at, screen),
  ]
}

/** `150 = 100 + 50 script chk_web`, with the limits told where they cut. */
function sum({ effective, base, total, shares }: VrrpPriority): string {
  const parts = shares
    .filter(({ add }) => add !== 0)
    .map(({ what, add }) => `${add < 0 ? '-' : '+'} ${Math.abs(add)} ${printable(what)}`)
  if (parts.length === 0) return String(effective)
  const cut = effective === total ? '' : ` = ${total}, within limits`
  return `${effective} = ${[base, ...parts].join(' ')}${cut}`
}

function peers(instance: VrrpInstanceStatus, at: number, screen: Screen): string[] {
  return instance.peers.flatMap(({ address, priority, adverts, heardAt }) =>
    paragraph(
      screen,
      `peer ${printable(address)}, priority ${priority}, ${count(adverts, 'advert')}, last heard ${ago(heardAt, at)}`,
      { indent: '  ' },
    ),
  )
}

function timers({ timers: left }: VrrpInstanceStatus, screen: Screen): string[] {
  const parts = Object.entries(left).map(([name, time]) => `${name} in ${Math.round(time)} ms`)
  return parts.length === 0 ? [] : paragraph(screen, `next: ${parts.join(', ')}`, { indent: '  ', tone: 'dim' })
}

function counters({ counters: all }: VrrpInstanceStatus, screen: Screen): string[] {
  const rejected = Object.entries(all.rejected).filter(([, times]) => times > 0)
  const text = `adverts ${all.advertsSent} sent, ${all.advertsReceived} received; master ${count(all.becameMaster, 'time')}`
  return [
    ...paragraph(screen, text, { indent: '  ', tone: 'dim' }),
    ...(rejected.length === 0
      ? []
      : paragraph(screen, `rejected: ${rejected.map(([reason, times]) => `${times} ${reason}`).join(', ')}`, {
          indent: '  ',
          tone: 'warn',
        })),
  ]
}

/** Faults, what it waits for, and other machines that think they have the addresses. */
function troubles(instance: VrrpInstanceStatus, at: number, screen: Screen): string[] {
  const { faults, waitingFor, rival, claim, strays = [], held, yielding } = instance
  const lines: [Tone, string][] = [
    ...faults.map((fault): [Tone, string] => ['bad', printable(fault)]),
    ...(waitingFor.length === 0
      ? []
      : [['warn', `waits for ${waitingFor.map(printable).join(', ')}`] as [Tone, string]]),
    ...(held ? [['warn', 'held by hand: backup until `ipvs-ctl vrrp release`'] as [Tone, string]] : []),
    ...(yielding ? [['warn', 'given away by hand'] as [Tone, string]] : []),
    ...(rival === undefined
      ? []
      : [
          [
            'alarm',
            `! ANOTHER MASTER: ${printable(rival.address)}, priority ${rival.priority}, since ${ago(rival.since, at)}`,
          ] as [Tone, string],
        ]),
    ...strays.map((one): [Tone, string] => ['alarm', `! ${printable(one)} IS HERE ALTHOUGH IT IS NOT MASTER`]),
    ...(claim === undefined
      ? []
      : [['alarm', `! ${printable(claim.address)} IS CLAIMED BY ${printable(claim.mac)}`] as [Tone, string]]),
  ]
  return lines.flatMap(([tone, text]) => paragraph(screen, text, { tone, indent: '      ' }))
}
