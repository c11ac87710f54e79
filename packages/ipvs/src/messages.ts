import { attributes, be16, bytes, nested, s32, struct, text, u16, u32, u64, u8 } from '@ipvs-director/linux'
import * as c from './constants.ts'

/**
 * The attributes of the family, one row each. Integers are in the host's order but for ports of services,
 * destinations and tunnels, addresses, and IPv4 netmasks.
 */

/** 32 bits but for the bytes. IPVS_*_ATTR_STATS: what kernels before 4.1 give alone. */
export const statistics = attributes({
  connections: [c.IPVS_STATS_ATTR_CONNS, u32],
  inPackets: [c.IPVS_STATS_ATTR_INPKTS, u32],
  outPackets: [c.IPVS_STATS_ATTR_OUTPKTS, u32],
  inBytes: [c.IPVS_STATS_ATTR_INBYTES, u64],
  outBytes: [c.IPVS_STATS_ATTR_OUTBYTES, u64],
  connectionRate: [c.IPVS_STATS_ATTR_CPS, u32],
  inPacketRate: [c.IPVS_STATS_ATTR_INPPS, u32],
  outPacketRate: [c.IPVS_STATS_ATTR_OUTPPS, u32],
  inByteRate: [c.IPVS_STATS_ATTR_INBPS, u32],
  outByteRate: [c.IPVS_STATS_ATTR_OUTBPS, u32],
})

/** The same at 64 bits. IPVS_*_ATTR_STATS64. */
export const statistics64 = attributes({
  connections: [c.IPVS_STATS_ATTR_CONNS, u64],
  inPackets: [c.IPVS_STATS_ATTR_INPKTS, u64],
  outPackets: [c.IPVS_STATS_ATTR_OUTPKTS, u64],
  inBytes: [c.IPVS_STATS_ATTR_INBYTES, u64],
  outBytes: [c.IPVS_STATS_ATTR_OUTBYTES, u64],
  connectionRate: [c.IPVS_STATS_ATTR_CPS, u64],
  inPacketRate: [c.IPVS_STATS_ATTR_INPPS, u64],
  outPacketRate: [c.IPVS_STATS_ATTR_OUTPPS, u64],
  inByteRate: [c.IPVS_STATS_ATTR_INBPS, u64],
  outByteRate: [c.IPVS_STATS_ATTR_OUTBPS, u64],
})

/** Flags with the mask of those that are meant: struct ip_vs_flags. */
const flags = struct({ flags: u32, mask: u32 })

/** Statistics stay bytes until somebody wants them: an audit of a large table does not. */
export const service = attributes({
  family: [c.IPVS_SVC_ATTR_AF, u16],
  protocol: [c.IPVS_SVC_ATTR_PROTOCOL, u16],
  address: [c.IPVS_SVC_ATTR_ADDR, bytes], // 16 bytes, of which IPv4 uses the first four
  port: [c.IPVS_SVC_ATTR_PORT, be16],
  fwmark: [c.IPVS_SVC_ATTR_FWMARK, u32], // in place of protocol, address and port
  scheduler: [c.IPVS_SVC_ATTR_SCHED_NAME, text],
  flags: [c.IPVS_SVC_ATTR_FLAGS, flags],
  timeout: [c.IPVS_SVC_ATTR_TIMEOUT, u32], // seconds
  netmask: [c.IPVS_SVC_ATTR_NETMASK, bytes], // IPv4: the mask in network order; IPv6: u32 prefix length in host order
  engine: [c.IPVS_SVC_ATTR_PE_NAME, text],
  statistics: [c.IPVS_SVC_ATTR_STATS, bytes],
  statistics64: [c.IPVS_SVC_ATTR_STATS64, bytes],
})

export const destination = attributes({
  address: [c.IPVS_DEST_ATTR_ADDR, bytes],
  port: [c.IPVS_DEST_ATTR_PORT, be16],
  family: [c.IPVS_DEST_ATTR_ADDR_FAMILY, u16], // missing before 3.18: then the service's
  forwarding: [c.IPVS_DEST_ATTR_FWD_METHOD, u32],
  weight: [c.IPVS_DEST_ATTR_WEIGHT, s32],
  upperThreshold: [c.IPVS_DEST_ATTR_U_THRESH, u32],
  lowerThreshold: [c.IPVS_DEST_ATTR_L_THRESH, u32],
  tunnelType: [c.IPVS_DEST_ATTR_TUN_TYPE, u8],
  tunnelPort: [c.IPVS_DEST_ATTR_TUN_PORT, be16],
  tunnelFlags: [c.IPVS_DEST_ATTR_TUN_FLAGS, u16],
  activeConnections: [c.IPVS_DEST_ATTR_ACTIVE_CONNS, u32],
  inactiveConnections: [c.IPVS_DEST_ATTR_INACT_CONNS, u32],
  persistentConnections: [c.IPVS_DEST_ATTR_PERSIST_CONNS, u32],
  statistics: [c.IPVS_DEST_ATTR_STATS, bytes],
  statistics64: [c.IPVS_DEST_ATTR_STATS64, bytes],
})

export const daemon = attributes({
  state: [c.IPVS_DAEMON_ATTR_STATE, u32],
  interface: [c.IPVS_DAEMON_ATTR_MCAST_IFN, text],
  syncId: [c.IPVS_DAEMON_ATTR_SYNC_ID, u32],
  maxLength: [c.IPVS_DAEMON_ATTR_SYNC_MAXLEN, u16],
  group: [c.IPVS_DAEMON_ATTR_MCAST_GROUP, bytes], // 4 bytes
  group6: [c.IPVS_DAEMON_ATTR_MCAST_GROUP6, bytes], // 16 bytes
  port: [c.IPVS_DAEMON_ATTR_MCAST_PORT, u16], // host order, unlike the other ports
  ttl: [c.IPVS_DAEMON_ATTR_MCAST_TTL, u8],
})

/** What every command and answer is made of, but for GET_INFO's. */
export const message = attributes({
  service: [c.IPVS_CMD_ATTR_SERVICE, nested(service)],
  destination: [c.IPVS_CMD_ATTR_DEST, nested(destination)],
  daemon: [c.IPVS_CMD_ATTR_DAEMON, nested(daemon)],
  tcp: [c.IPVS_CMD_ATTR_TIMEOUT_TCP, u32], // seconds
  tcpFin: [c.IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, u32],
  udp: [c.IPVS_CMD_ATTR_TIMEOUT_UDP, u32],
})

/** The answer to GET_INFO, whose attributes have numbers of their own. */
export const info = attributes({
  version: [c.IPVS_INFO_ATTR_VERSION, u32], // a byte each: 0x010201 is 1.2.1
  connectionTableSize: [c.IPVS_INFO_ATTR_CONN_TAB_SIZE, u32],
})
