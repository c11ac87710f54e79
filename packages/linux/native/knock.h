/*
 * SYNs to many servers by one raw socket, and the answers to them. Part of addon.c, and the only place of it that knows
 * TCP (RFC 9293 §3.1): laying out two thousand SYNs a second in JavaScript, and taking apart as many answers, cost as much
 * as a third of what the kernel does with them (docs/benchmarks.md). knocks.ts has the memory, the sequence numbers and
 * everything that is rare; nothing is kept here from one call to the next.
 */
#include <netinet/tcp.h>

enum { KNOCKS = 64, READINGS = 4, KNOCK_ENDS = KNOCKS + READINGS * KNOCKS, ANSWER_BYTES = 128 };

/* What became of a SYN; above 0 it is the errno that kept it from being sent. knocks.ts has the same numbers. */
enum { KNOCK_ANSWERED = 0, KNOCK_REFUSED = -1 };
enum { NOBODY = -1 };

typedef struct {
  unsigned char to[sizeof(struct sockaddr_in6)]; /* a sockaddr, port 0: a raw socket takes that for a protocol */
  unsigned char source[4];                       /* IPv4: what the socket is bound to, which is in the checksum */
  int32_t port;
  int32_t sequence;                              /* of the SYN that is out; 0: none is */
} Server;

typedef struct { int32_t slot, end; } KnockEnd;

typedef struct {
  int v4, port; /* ours */
  Server *servers;
  size_t count;
  int32_t *index; /* by the lowest bits of a sequence number: the slot of the server that it was sent to, or NOBODY */
  size_t cells;         /* a power of two */
} Knocks;

typedef struct {
  struct tcphdr header;
  unsigned char options[4];
} Syn;

static uint32_t sum_of(const void *words, size_t length, uint32_t sum) {
  const unsigned char *at = words;
  for (size_t i = 0; i < length; i += 2) sum += (uint32_t)at[i] << 8 | at[i + 1];
  return sum;
}

/* The checksum is over the pseudo header, too; of IPv6 the kernel makes it (IPV6_CHECKSUM). */
static void knock_write(Syn *syn, const Server *server, int port, int v4) {
  static const unsigned char segment_size[4] = {TCPOPT_MAXSEG, TCPOLEN_MAXSEG, 1460 >> 8, 1460 & 0xff};
  memset(syn, 0, sizeof *syn);
  syn->header.th_sport = htons((uint16_t)port);
  syn->header.th_dport = htons((uint16_t)server->port);
  syn->header.th_seq = htonl((uint32_t)server->sequence);
  syn->header.th_off = sizeof *syn / 4;
  syn->header.th_flags = TH_SYN;
  syn->header.th_win = htons(64240);
  memcpy(syn->options, segment_size, sizeof segment_size); /* a SYN without it looks odd to some */
  if (!v4) return;
  uint32_t sum = sum_of(syn, sizeof *syn, IPPROTO_TCP + sizeof *syn);
  sum = sum_of(server->source, 4, sum);
  sum = sum_of(server->to + offsetof(struct sockaddr_in, sin_addr), 4, sum);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  syn->header.th_sum = htons((uint16_t)~sum);
}

static socklen_t knock_name(const Knocks *all) {
  return all->v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* Answers how many could not be sent: one that cannot does not keep the others from it. */
static int knock_send(int fd, const Knocks *all, const int32_t *asked, int count, KnockEnd *ends) {
  Syn syns[KNOCKS];
  struct iovec parts[KNOCKS];
  struct mmsghdr messages[KNOCKS];
  int failed = 0;
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < count; i++) {
    Server *server = &all->servers[asked[i]];
    struct msghdr *message = &messages[i].msg_hdr;
    knock_write(&syns[i], server, all->port, all->v4);
    parts[i] = (struct iovec){&syns[i], sizeof *syns};
    message->msg_iov = &parts[i];
    message->msg_iovlen = 1;
    message->msg_name = server->to;
    message->msg_namelen = knock_name(all);
  }
  for (int i = 0; i < count;) {
    int sent = sendmmsg(fd, messages + i, (unsigned)(count - i), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) i += sent;
    else if (errno != EINTR) ends[failed++] = (KnockEnd){asked[i++], errno};
  }
  return failed;
}

/* The server that the SYN with this number is out to: nobody who did not see it can know the number. */
static Server *knock_find(const Knocks *all, uint32_t sequence) {
  size_t slot = (size_t)all->index[sequence & (all->cells - 1)];
  if (sequence == 0 || slot >= all->count || (uint32_t)all->servers[slot].sequence != sequence) return NULL;
  return &all->servers[slot];
}

/* Whether the message, which over IPv4 begins with the header of that, ends the waiting for a server. */
static int knock_hear(const Knocks *all, const unsigned char *data, size_t length, const unsigned char *from, KnockEnd *end) {
  struct tcphdr tcp;
  size_t at = all->v4 ? (data[0] & 0x0f) * 4 : 0;
  size_t address = all->v4 ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
  if (length < at + sizeof tcp) return 0;
  memcpy(&tcp, data + at, sizeof tcp);
  if ((tcp.th_flags & TH_ACK) == 0 || (tcp.th_flags & (TH_SYN | TH_RST)) == 0 || ntohs(tcp.th_dport) != all->port) return 0;
  Server *server = knock_find(all, ntohl(tcp.th_ack) - 1);
  if (server == NULL || ntohs(tcp.th_sport) != server->port ||
      memcmp(from + address, server->to + address, all->v4 ? 4 : 16) != 0)
    return 0;
  all->index[(uint32_t)server->sequence & (all->cells - 1)] = NOBODY;
  server->sequence = 0;
  *end = (KnockEnd){(int32_t)(server - all->servers), (tcp.th_flags & TH_RST) != 0 ? KNOCK_REFUSED : KNOCK_ANSWERED};
  return 1;
}

/* Reads what has come, at most so much that others get their turn. Answers how many servers have answered. */
static int knock_receive(int fd, const Knocks *all, KnockEnd *ends) {
  unsigned char data[KNOCKS][ANSWER_BYTES], from[KNOCKS][sizeof(struct sockaddr_in6)];
  struct iovec parts[KNOCKS];
  struct mmsghdr messages[KNOCKS];
  int answered = 0, got = KNOCKS;
  for (int reading = 0; reading < READINGS && got == KNOCKS; reading++) {
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < KNOCKS; i++) {
      struct msghdr *message = &messages[i].msg_hdr;
      parts[i] = (struct iovec){data[i], sizeof data[i]};
      message->msg_iov = &parts[i];
      message->msg_iovlen = 1;
      message->msg_name = from[i];
      message->msg_namelen = knock_name(all);
    }
    /* An error is told as always, and what came after it by the next turn. */
    got = recvmmsg(fd, messages, KNOCKS, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) answered += knock_hear(all, data[i], messages[i].msg_len, from[i], &ends[answered]);
  }
  return answered;
}

/*
 * knock(port, servers, index, asked, count, ends) → how many ends: sends a SYN from our port to each of the servers asked,
 * and reads what has come by then. All of them Int32Arrays in the layouts above.
 */
static napi_value socket_knock(napi_env env, napi_callback_info info) {
  napi_value args[6];
  int port, count;
  int32_t *servers, *index, *asked, *ends;
  size_t servers_size, cells, asked_size, ends_size;
  Socket *self = open_socket(env, info, 6, args, "sendmmsg");
  if (self == NULL || !integer(env, args[0], &port) || !integers(env, args[1], &servers, &servers_size) ||
      !integers(env, args[2], &index, &cells) || !integers(env, args[3], &asked, &asked_size) ||
      !integer(env, args[4], &count) || !integers(env, args[5], &ends, &ends_size))
    return NULL;
  Knocks all = {.v4 = self->domain == AF_INET, .port = port, .servers = (Server *)servers,
                .count = servers_size * sizeof *servers / sizeof(Server), .index = index, .cells = cells};
  if (cells == 0 || (cells & (cells - 1)) != 0) return wrong(env, "an index of a power of two was expected");
  if (count < 0 || count > KNOCKS || (size_t)count > asked_size) return wrong(env, "at most 64 servers were expected");
  if (ends_size * sizeof *ends < KNOCK_ENDS * sizeof(KnockEnd)) return wrong(env, "room for 320 ends was expected");
  for (int i = 0; i < count; i++)
    if ((size_t)asked[i] >= all.count) return wrong(env, "servers of the table were expected");
  int known = count == 0 ? 0 : knock_send(self->fd, &all, asked, count, (KnockEnd *)ends);
  return number(env, known + knock_receive(self->fd, &all, (KnockEnd *)ends + known));
}
