import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import type { Tracked } from '../tracking-config.ts'
import type { Say } from './say.ts'
import { priorityOf } from './text.ts'
import { type Definitions, resolveTracking } from './tracking.ts'

/** Keyword of a list → the property of the resolved tracking. */
const lists = [
  ['track_interface', 'interfaces'],
  ['track_script', 'scripts'],
  ['track_file', 'files'],
  ['track_process', 'processes'],
  ['track_bfd', 'bfd'],
  ['track_virtual_server', 'virtualServers'],
] as const

/** A weight that can change the priority by so little decides nothing between most pairs of machines. */
const small = 5

/** Weights that do not count, or count and can never change anything. */
export function weightRules(
  text: VrrpInstanceText,
  group: VrrpSyncGroupText | undefined,
  known: Definitions,
  say: Say,
): void {
  const base = priorityOf(text)
  const track = resolveTracking(text, known)
  if (track === undefined) return
  const fixed = group !== undefined && !group.syncGroupTrackingWeight
  const ofGroup = new Set(group && resolveTracking(group, known)?.interfaces.map(({ name }) => name))
  const counted = lists.flatMap(([keyword, key]) => track[key].map((each) => ({ ...each, keyword })))
  for (const each of counted) {
    if (each.weight === 0) continue
    if (base === 255) {
      say('W075', `the weight of ${each.name} changes nothing: priority 255 stays what it is`, each.keyword)
    } else if (fixed) {
      const alone = ofGroup.has(each.name) ? "has the group's weight" : 'changes the priority of this instance alone'
      const effect = each.keyword === 'track_interface' ? alone : 'is not followed'
      const text = `${each.name} ${effect}: no weights in vrrp_sync_group ${group.header} without sync_group_tracking_weight`
      say('W076', text, each.keyword)
    } else if (each.keyword !== 'track_file') oneWeight(each, counted, base, say)
  }
  for (const { name } of track.interfaces) {
    if (name === text.interface) say('W077', `${name} is followed anyway: it is the instance's own`, 'track_interface')
  }
}

function oneWeight(
  each: Tracked & { readonly keyword: string },
  all: readonly Tracked[],
  base: number,
  say: Say,
): void {
  const others = all.filter((other) => other.name !== each.name)
  const good = gainOf(each, true)
  const bad = gainOf(each, false)
  // With the others all good, and all bad: between the two lies every other case.
  const rests = [true, false].map((fine) => others.reduce((sum, other) => sum + gainOf(other, fine), base))
  if (rests.every((rest) => clamp(rest + good) === clamp(rest + bad))) {
    say(
      'W075',
      `the weight of ${each.name} changes nothing: the priority stays ${clamp(base)} either way`,
      each.keyword,
    )
  } else if (Math.abs(each.weight) < small) {
    const span = `${Math.min(base + good, base + bad)} to ${Math.max(base + good, base + bad)}`
    say(
      'N012',
      `${each.name} moves the priority only from ${span}: it decides nothing unless the other machine's is between`,
      each.keyword,
    )
  }
}

/** What a followed thing adds to the priority (reference/vrrp.md §5). */
function gainOf({ weight, reverse }: Tracked, good: boolean): number {
  const gain = reverse ? -weight : weight
  return weight > 0 === good ? gain : 0
}

const clamp = (priority: number): number => Math.min(254, Math.max(1, priority))
