import { count } from '@ipvs-director/core'
import { inSlices, type Logger } from '@ipvs-director/core'
import type { Going, TellAlarm } from './alarms/alarm.ts'
import type { EventLog } from './events.ts'
import type { Notifier } from './notify.ts'
import type { Pool, PoolEffect, PoolServer } from './pool.ts'

/** Where a pool's effects are told: log lines in keepalived's trigger words, the event log, scripts, alarms. */
export interface Tellers {
  readonly logger: Logger
  readonly events: EventLog
  readonly notifier: Notifier
  /** Mail, webhooks and FIFOs; absent: there are none. */
  readonly alarm?: TellAlarm
}

/** Tells one effect of a pool to everybody who wants to know. */
export function tell(pool: Pool, effect: PoolEffect, to: Tellers): void {
  tellAlarm(pool, effect, to)
  switch (effect.kind) {
    case 'server':
      tellServer(pool, effect, to)
      return
    case 'weight':
      tellWeight(pool, effect, to)
      return
    case 'quorum':
      tellQuorum(pool, effect, to)
      return
    case 'panic':
      tellPanic(pool, effect, to)
      return
  }
}

/** Something that happened to a pool. */
export interface EffectOfPool {
  readonly pool: Pool
  readonly effect: PoolEffect
}

/** So many gained quorums at a start or reload are told one by one. */
const toldOneByOne = 10

/**
 * Tells the first judgement of new pools. That many gain their quorum is what is expected of a start: beyond a handful it
 * is one line. What is not as expected is told in full.
 */
export async function tellBegin(effects: readonly EffectOfPool[], to: Tellers): Promise<void> {
  const gained = effects.filter(({ effect }) => isGain(effect)).length
  const quiet = gained > toldOneByOne
  await inSlices(effects, ({ pool, effect }) => {
    if (!quiet || !isGain(effect)) tell(pool, effect, to)
    else {
      tellAlarm(pool, effect, to)
      to.notifier.run(pool.config.quorumUp, `quorum_up of ${pool.config.name}`)
    }
  })
  if (!quiet) return
  const message = `Gained quorum for ${count(gained, 'virtual server')}`
  to.logger.info('quorum.up', message, { services: gained })
  to.events.add('quorum.up', message, { services: gained })
}

const isGain = (effect: PoolEffect): boolean => effect.kind === 'quorum' && effect.up

function upIn(pool: Pool): number {
  let count = 0
  for (const { health } of pool.servers.values()) if (health.failed === 0) count++
  return count
}

function tellAlarm(pool: Pool, effect: PoolEffect, { alarm, events }: Tellers): void {
  if (alarm === undefined) return
  const at = events.wall()
  const service = pool.config
  if (effect.kind === 'quorum') {
    const { up, threshold, aliveWeight } = effect
    alarm({ kind: 'quorum', service, up, threshold, aliveWeight, serversUp: () => upIn(pool), at })
  } else if (effect.kind === 'server') {
    const { server, up, verdict } = effect
    const checker = server.config.checkers[server.health.checks.findIndex((check) => check.verdict === verdict)]
    alarm({ kind: 'server', service, server: server.config, checker, up, class: verdict.class, reason: verdict.reason, serversUp: () => upIn(pool), at }) // prettier-ignore
  }
}

function tellServer(pool: Pool, effect: PoolEffect & { kind: 'server' }, to: Tellers): void {
  const { server, up, turned, verdict } = effect
  const where = { service: pool.config.name, server: server.name, class: verdict.class, reason: verdict.reason }
  if (turned) {
    const inhibit = server.config.inhibitOnFailure
    const action = up ? (inhibit ? 'Enabling' : 'Adding') : inhibit ? 'Disabling' : 'Removing'
    const preposition = inhibit ? 'of' : up ? 'to' : 'from'
    const message = `${action} service ${server.name} ${preposition} VS ${pool.config.name}: ${verdict.reason}`
    if (up) to.logger.info('server.up', message, where)
    else to.logger.warn('server.down', message, where)
    to.events.add(up ? 'server.up' : 'server.down', message, where)
  }
  const script = up ? server.config.notifyUp : server.config.notifyDown
  to.notifier.run(script, `${up ? 'notify_up' : 'notify_down'} of ${server.name} in ${pool.config.name}`)
}

function tellWeight(pool: Pool, effect: PoolEffect & { kind: 'weight' }, to: Tellers): void {
  const { server, from, to: weight } = effect
  const message = `Changing weight from ${from} to ${weight} for active service ${server.name} of VS ${pool.config.name}`
  const fields = { service: pool.config.name, server: server.name, weight }
  to.logger.info('server.weight', message, fields)
  to.events.add('server.weight', message, fields)
}

function tellPanic(pool: Pool, { on, alive, counted }: PoolEffect & { kind: 'panic' }, to: Tellers): void {
  const { name, panicThreshold } = pool.config
  const share = `${alive} of ${counted} real servers of VS ${name} are up`
  const message = on
    ? `PANIC: only ${share}, less than ${panicThreshold} %: the checks are not believed, all of them serve`
    : `Panic is over: ${share}`
  const fields = { service: name, alive, counted }
  to.logger[on ? 'error' : 'info']('pool.panic', message, fields)
  to.events.add('pool.panic', message, { ...fields, on })
}

function tellQuorum(pool: Pool, effect: PoolEffect & { kind: 'quorum' }, to: Tellers): void {
  const { name, quorum, hysteresis, sorryServer } = pool.config
  const { up, first = false, threshold, aliveWeight } = effect
  const arithmetic = up
    ? `Gained quorum ${quorum}+${hysteresis}=${threshold} <= ${aliveWeight}`
    : `Lost quorum ${quorum}-${hysteresis}=${quorum - hysteresis} > ${aliveWeight}`
  const sorry =
    sorryServer === undefined || (up && first)
      ? ''
      : `; ${up ? 'Removing' : 'Adding'} sorry server ${sorryServer.address}:${sorryServer.port}`
  const message = `${arithmetic} for VS ${name}${sorry}`
  const fields = { service: name, aliveWeight, quorum, hysteresis }
  if (up) to.logger.info('quorum.up', message, fields)
  else to.logger.warn('quorum.down', message, fields)
  to.events.add(up ? 'quorum.up' : 'quorum.down', message, fields)
  to.notifier.run(up ? pool.config.quorumUp : pool.config.quorumDown, `quorum_${up ? 'up' : 'down'} of ${name}`)
}

/** A pool that goes (reload, or a stop with `omega`): its alive servers and its quorum are told to be down. */
export function tellGone(pool: Pool, why: Going, to: Tellers): void {
  const steps = tellGoneSteps(pool, why, to)
  while (steps.next().done !== true);
}

/** The same one server after the other, each of which is answered when it has been told. */
export function* tellGoneSteps(pool: Pool, why: Going, to: Tellers): Generator<PoolServer, undefined> {
  let left = upIn(pool)
  const serversUp = (): number => left
  for (const server of pool.servers.values()) {
    if (server.health.failed === 0) {
      left--
      tellServerGone(pool, server, { why, serversUp, message: `${why}: ${server.name} of VS ${pool.config.name}` }, to)
    }
    yield server
  }
  if (!pool.quorum.up) return
  to.alarm?.({ kind: 'service-gone', service: pool.config, why, serversUp, at: to.events.wall() })
  to.notifier.run(pool.config.quorumDown, `quorum_down of ${pool.config.name}`)
}

/** A server that its pool has no more. */
export function tellRemoved(pool: Pool, server: PoolServer, to: Tellers): void {
  if (server.health.failed > 0) return
  const message = `Removing ${server.name} of VS ${pool.config.name}`
  tellServerGone(pool, server, { why: 'Removing', serversUp: () => upIn(pool), message }, to)
}

interface Gone {
  readonly why: Going
  readonly serversUp: () => number
  readonly message: string
}

function tellServerGone({ config: service }: Pool, server: PoolServer, gone: Gone, to: Tellers): void {
  const { why, serversUp, message } = gone
  const { name } = service
  to.alarm?.({ kind: 'server-gone', service, server: server.config, why, serversUp, at: to.events.wall() })
  to.events.add('server.gone', message, { service: name, server: server.name })
  to.notifier.run(server.config.notifyDown, `notify_down of ${server.name} in ${name}`)
}

/** The end of the program without `omega`: no script, no mail, but keepalived's SNMP notifications. */
export function tellEnd({ config: service, servers }: Pool, { alarm, events }: Tellers): void {
  const at = events.wall()
  const up = [...servers.values()].filter(({ health }) => health.failed === 0)
  for (const [i, { config: server }] of up.entries()) {
    const serversUp = (): number => up.length - i - 1
    alarm?.({ kind: 'server-gone', service, server, why: 'Shutting down', quiet: true, serversUp, at })
  }
  alarm?.({ kind: 'service-gone', service, why: 'Shutting down', quiet: true, serversUp: () => 0, at })
}
