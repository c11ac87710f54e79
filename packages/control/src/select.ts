import { closest } from './closest.ts'
import { HttpProblem } from './problem.ts'
import type { Status, VirtualServerStatus } from './model.ts'

/**
 * The virtual servers meant by what a person typed: the whole name, one of its services, either without the protocol
 * (`192.0.2.1:80`), or the bare name of a group.
 */
export function findVirtualServers(all: readonly VirtualServerStatus[], wanted: string): VirtualServerStatus[] {
  const exact = all.filter((one) => one.name === wanted || one.services.includes(wanted))
  if (exact.length > 0) return exact
  return all.filter((one) => [one.name, ...one.services].some((name) => shortNames(name).includes(wanted)))
}

function shortNames(name: string): string[] {
  const bare = name.replace(/\/[a-z0-9]+$/, '')
  return [bare, bare.replace(/^group /, '')]
}

/** The status with only the virtual servers asked for. Throws an HttpProblem (404) where there is none of that name. */
export function selectServices(status: Status, wanted: readonly string[]): Status {
  if (wanted.length === 0) return status
  const found = new Set<VirtualServerStatus>()
  for (const name of wanted) {
    const matches = findVirtualServers(status.virtualServers, name)
    if (matches.length === 0) throw noSuchService(status, name)
    for (const match of matches) found.add(match)
  }
  return { ...status, virtualServers: status.virtualServers.filter((one) => found.has(one)), foreign: [] }
}

function noSuchService(status: Status, name: string): HttpProblem {
  const names = status.virtualServers.flatMap((one) => [one.name, ...one.services])
  return new HttpProblem(404, 'no-such-service', `there is no virtual server ${JSON.stringify(name)}`, {
    suggestions: closest(name, [...new Set(names)].slice(0, 20_000)),
  })
}
