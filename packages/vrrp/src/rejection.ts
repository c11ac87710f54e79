/** Why an advertisement is not believed: the classes that are counted, and that keepalived's statistics know. */
export const rejectReasons = [
  /** Too short, or not as long as its addresses want ("packet_len_err"). */
  'length',
  /** TTL or hop limit ("ip_ttl_err"). */
  'ttl',
  'version',
  /** Not an advertisement ("invalid_type_rcvd"). */
  'type',
  'checksum',
  /** Authentication header, or a type of authentication, that does not exist ("invalid_authtype"). */
  'authType',
  /** Another type of authentication than ours ("authtype_mismatch"). */
  'authMismatch',
  /** Wrong password or hash, or an authentication header heard before ("auth_failure"). */
  'authFailure',
  /** Of `auth_hmac` ("auth_ext_…"). */
  'hmacMissing',
  'hmacMalformed',
  'hmacUnknownKey',
  'hmacInvalid',
  'hmacStale',
  'hmacReplay',
  /** v2: another interval than ours ("advert_interval_err"). */
  'interval',
  /** Multicast where unicast is configured, or the other way round. */
  'kind',
  /** From an address that is no peer. */
  'peer',
  /** Two machines say that they own the addresses, and ours does not listen (`owner_ignore_adverts`). */
  'owner',
  /** An interval of zero, an address that is not possible. */
  'malformed',
] as const
export type RejectReason = (typeof rejectReasons)[number]

/** An advertisement that is not believed: its class, and words that people search logs for. */
export interface Rejection {
  readonly rejected: RejectReason
  readonly text: string
}

export const reject = (rejected: RejectReason, text: string): Rejection => ({ rejected, text })

export const isRejection = (value: object): value is Rejection => 'rejected' in value
