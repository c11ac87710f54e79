import type { Overlay } from './overlay.ts'
import { describeSteer } from './steer.ts'

/** What lies over the file, a line each. */
export function describeOverlay(overlay: Overlay): string[] {
  const { services, removedServices, leavingServices, added, removed, steers, hosts } = overlay
  return [
    ...services.map(
      ({ name, virtual }) => `virtual server ${name}: added${virtual === undefined ? ', unreadable' : ''}`,
    ),
    ...[...removedServices].map((name) => `virtual server ${name}: removed`),
    ...[...leavingServices.keys()].map((name) => `virtual server ${name}: draining`),
    ...[...hosts.keys()].map((host) => `${host}: in maintenance`),
    ...added.map(({ service, server }) => `${server} of ${service}: added`),
    ...[...removed].flatMap(([service, servers]) => [...servers].map((server) => `${server} of ${service}: removed`)),
    ...[...steers].flatMap(([service, servers]) =>
      [...servers].map(([server, steer]) => `${server} of ${service}: ${describeSteer(steer)}`),
    ),
  ]
}
