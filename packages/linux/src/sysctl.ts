import { readFileSync, writeFileSync } from 'node:fs'

/** A setting of this network namespace as a path below `/proc/sys/net`: `ipv4/conf/eth0/arp_ignore`. */
export type NetworkSetting = string

const file = (setting: NetworkSetting): string => `/proc/sys/net/${setting}`

/** Undefined where there is no such setting, or no such interface any more. */
export function readSetting(setting: NetworkSetting): string | undefined {
  try {
    return readFileSync(file(setting), 'latin1').trim()
  } catch {
    return undefined
  }
}

/** Writes it where it differs; throws a system error (EROFS in many containers). */
export function writeSetting(setting: NetworkSetting, value: string): void {
  if (readSetting(setting) !== value) writeFileSync(file(setting), `${value}\n`)
}
