/** Changes of interfaces, addresses, routes and rules, as the kernel announces them. */
import { readMessages, type SequencedMessage } from '../message.ts'
import { NETLINK_ROUTE } from '../socket-channel.ts'
import { socketTransport, type OpenTransport } from '../transport.ts'
import { decodeAddress, type AssignedAddress } from './address.ts'
import {
  routeGroups,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from './constants.ts'
import { decodeLink, type Link } from './link.ts'
import { decodeRoute, type Route } from './route.ts'
import { decodeRule, type Rule } from './rule.ts'

/** What happened. 'new' also stands for a change of what was there. */
export type RouteEvent =
  | { readonly about: 'link'; readonly change: 'new' | 'gone'; readonly link: Link }
  | { readonly about: 'address'; readonly change: 'new' | 'gone'; readonly address: AssignedAddress }
  | { readonly about: 'route'; readonly change: 'new' | 'gone'; readonly route: Route }
  | { readonly about: 'rule'; readonly change: 'new' | 'gone'; readonly rule: Rule }
  /** Events were lost (ENOBUFS, or one that could not be read): read again what matters. Events go on. */
  | { readonly about: 'lost'; readonly error: Error }

export type RouteTopic = keyof typeof routeGroups

export interface RouteWatch {
  /** No more events, also from within the listener. Closing twice does nothing. */
  close(): void
}

/** Default size of the receive buffer, in bytes: some 1,000 events while the event loop is busy. */
const eventBytes = 1 << 20

/**
 * Reports changes in the network namespace of this thread from now on. Only what is asked for is delivered. A watch
 * alone does not keep the process alive. Throws a system error. `renewer`: the port of a channel whose additions and
 * renewals of addresses are not reported, because whoever renews 500 leases a second need not hear of each.
 */
export function watchRoute(
  topics: readonly RouteTopic[],
  onEvent: (event: RouteEvent) => void,
  renewer?: number,
  open: OpenTransport = socketTransport(NETLINK_ROUTE, eventBytes),
): RouteWatch {
  let closed = false
  const transport = open({
    datagram(bytes) {
      for (const event of decodeEvents(bytes)) if (!closed) onEvent(event)
    },
    error(error) {
      if (!closed) onEvent({ about: 'lost', error })
    },
  })
  if (renewer !== undefined) transport.leaveOut(RTM_NEWADDR, renewer)
  for (const topic of topics) for (const group of routeGroups[topic]) transport.join(group)
  return {
    close() {
      closed = true
      transport.close()
    },
  }
}

function decodeEvents(bytes: Buffer): RouteEvent[] {
  try {
    return readMessages(bytes).flatMap(decodeEvent)
  } catch (error) {
    return [{ about: 'lost', error: error instanceof Error ? error : new Error(String(error)) }]
  }
}

/** One message as an event; none for messages of other kinds and families. Throws a DecodeError. */
export function decodeEvent({ type, payload }: Pick<SequencedMessage, 'type' | 'payload'>): RouteEvent[] {
  const change = (type & 3) === 0 ? 'new' : 'gone' // types come in fours: NEW, DEL, GET, SET
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return [{ about: 'link', change, link: decodeLink(payload) }]
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return [{ about: 'address', change, address: decodeAddress(payload) }]
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const route = decodeRoute(payload)
      return route === undefined ? [] : [{ about: 'route', change, route }]
    }
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const rule = decodeRule(payload)
      return rule === undefined ? [] : [{ about: 'rule', change, rule }]
    }
    default:
      return []
  }
}
