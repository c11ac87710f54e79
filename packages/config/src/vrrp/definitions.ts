import { familyOf, millis, seconds } from '@ipvs-director/core'
import type { bfdInstance, trackFile, vrrpScript, vrrpTrackProcess } from '../grammar/trackers.ts'
import type { Values } from '../declare.ts'
import { type Read, written } from '../read.ts'
import { placeOf } from '../statement.ts'
import type { BfdInstance, TrackFile, TrackProcess, VrrpScript } from '../tracking-config.ts'

export type ScriptText = Values<typeof vrrpScript> & Read
export type TrackFileText = Values<typeof trackFile> & Read
export type TrackProcessText = Values<typeof vrrpTrackProcess> & Read
export type BfdText = Values<typeof bfdInstance> & Read

/** A whole `vrrp_script`. Without a user of its own it has script_user's when it is run, as every script. */
export function resolveScript(text: ScriptText): VrrpScript | undefined {
  if (text.script === undefined) return undefined
  const { user } = text
  return {
    place: placeOf(text[written]),
    name: text.header,
    script:
      user === undefined
        ? text.script
        : { ...text.script, user: user.user, ...(user.group === undefined ? {} : { group: user.group }) },
    interval: text.interval,
    timeout: text.timeout ?? text.interval,
    weight: text.weight?.value ?? 0,
    reverse: text.weight?.reverse === true,
    rise: text.rise,
    fall: text.fall,
    initFail: text.initFail,
  }
}

/** A whole `track_file`: its weight is 1 where none is written. */
export function resolveTrackFile(text: TrackFileText): TrackFile | undefined {
  if (text.file === undefined) return undefined
  return {
    place: placeOf(text[written]),
    name: text.header,
    path: text.file,
    weight: text.weight?.value ?? 1,
    reverse: text.weight?.reverse === true,
    init:
      text.initFile === undefined
        ? undefined
        : { value: text.initFile.value ?? 0, overwrite: text.initFile.overwrite === true },
  }
}

export function resolveProcess(text: TrackProcessText): TrackProcess | undefined {
  const [process, ...parameters] = text.process ?? []
  if (process === undefined) return undefined
  return {
    place: placeOf(text[written]),
    name: text.header,
    process,
    parameters,
    match: text.paramMatch ?? 'exact',
    fullCommand: text.fullCommand || parameters.length > 0 || text.paramMatch !== undefined,
    weight: text.weight?.value ?? 0,
    reverse: text.weight?.reverse === true,
    quorum: text.quorum,
    quorumMax: text.quorumMax,
    forkDelay: text.forkDelay ?? text.delay ?? seconds(0),
    terminateDelay: text.terminateDelay ?? text.delay ?? seconds(0),
  }
}

/** A whole `bfd_instance`; keepalived's times are milliseconds already. */
export function resolveBfd(text: BfdText): BfdInstance | undefined {
  if (text.neighborIp === undefined) return undefined
  const family = familyOf(text.neighborIp)
  return {
    place: placeOf(text[written]),
    name: text.header,
    family,
    neighbor: text.neighborIp,
    source: text.sourceIp,
    minRx: millis(text.minRx),
    minTx: millis(text.minTx),
    idleTx: millis(text.idleTx),
    multiplier: text.multiplier,
    passive: text.passive,
    ttl: text.ttl ?? (family === 'inet' ? 255 : 64),
    maxHops: text.maxHops,
    multihop: text.multihop ?? false,
    weight: text.weight?.value ?? 0,
    reverse: text.weight?.reverse === true,
    vrrp: text.vrrp || !text.checker,
    checker: text.checker || !text.vrrp,
  }
}
