/** The facts of this machine, read once. */
import type { Family } from '@ipvs-director/core'
import { loadError, openRoute } from '@ipvs-director/linux'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { promisify } from 'node:util'
import type { Facts, Interface, RunningProgram, Way } from './facts.ts'

const run = promisify(execFile)
const ARPHRD_LOOPBACK = 772
const mainTable = 254
const unicast = 1

export async function gatherFacts(): Promise<Facts> {
  const [network, firewall] = await Promise.all([readNetwork(), readFirewall()])
  return {
    release: release(),
    file: readText,
    interfaces: network?.interfaces,
    ways: network?.ways ?? [],
    programs: readPrograms(),
    firewall,
    now: new Date(),
    node: process.versions.node,
    addonTrouble: loadError()?.message,
    pid: process.pid,
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return undefined
  }
}

async function readNetwork(): Promise<{ interfaces: Interface[]; ways: Way[] } | undefined> {
  if (loadError() !== undefined) return undefined
  const client = openRoute()
  try {
    const [links, addresses, routes] = [await client.links(), await client.addresses(), await client.routes()]
    const names = new Map(links.map(({ index, name }) => [index, name]))
    return {
      interfaces: links.map(({ index, name, up, kind, mtu, hardwareType }) => ({
        ...{ name, up, kind, mtu, loopback: hardwareType === ARPHRD_LOOPBACK },
        addresses: addresses.filter((one) => one.index === index).map(({ address, prefix }) => ({ address, prefix })),
      })),
      ways: routes
        .filter(({ table = mainTable, kind = unicast }) => table === mainTable && kind === unicast)
        .map(({ family, destination, gateway, index }: (typeof routes)[number] & { family: Family }) => ({
          ...{ family, destination, gateway },
          interface: index === undefined ? undefined : names.get(index),
        })),
    }
  } catch {
    return undefined
  } finally {
    client.close()
  }
}

/** Programs of this network namespace; where that cannot be seen, all. Keepers of the clock may be in any. */
function readPrograms(): RunningProgram[] {
  const here = namespaceOf('self')
  return readdirSync('/proc').flatMap((entry): RunningProgram[] => {
    if (!/^\d+$/.test(entry)) return []
    const name = readText(`/proc/${entry}/comm`)
    if (name === undefined) return []
    const there = namespaceOf(entry)
    const elsewhere = here !== undefined && there !== undefined && here !== there
    if (elsewhere && !/chrony|ntp|timesyn|ptp4l|phc2sys/.test(name)) return []
    const commandLine = (readText(`/proc/${entry}/cmdline`) ?? '').replaceAll('\0', ' ')
    return [{ pid: Number(entry), name, commandLine }]
  })
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

/** Both ways to print it: rules of old iptables are not seen by nft. Undefined where neither could. */
async function readFirewall(): Promise<string | undefined> {
  const commands = [['nft', 'list', 'ruleset'], ['iptables-save'], ['ip6tables-save']] as const
  const texts = await Promise.all(
    commands.map(async ([program, ...args]) => {
      try {
        const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
        return (await run(program, args, { timeout: 5000, env, maxBuffer: 64 << 20 })).stdout
      } catch {
        return undefined
      }
    }),
  )
  const read = texts.filter((text) => text !== undefined)
  return read.length === 0 ? undefined : read.join('\n')
}
