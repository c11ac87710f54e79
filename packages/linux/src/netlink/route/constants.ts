/** Message types of NETLINK_ROUTE (linux/rtnetlink.h). */
export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_SETLINK = 19
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22
export const RTM_NEWROUTE = 24
export const RTM_DELROUTE = 25
export const RTM_GETROUTE = 26
export const RTM_NEWRULE = 32
export const RTM_DELRULE = 33
export const RTM_GETRULE = 34

/** Address families (linux/socket.h). */
export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_INET6 = 10

/** Scopes of addresses and routes: everywhere, this link, this host. */
export const RT_SCOPE_UNIVERSE = 0
export const RT_SCOPE_LINK = 253
export const RT_SCOPE_HOST = 254
export const RT_SCOPE_NOWHERE = 255

/** Routing tables. */
export const RT_TABLE_MAIN = 254
export const RT_TABLE_LOCAL = 255

/** The multicast groups that are watched, by number. */
export const routeGroups = {
  link: [1],
  address: [5, 9],
  route: [7, 11],
  rule: [8, 19],
} as const
