/**
 * What `keepalived -t` makes of the same thing: nothing, an error (exit 5), a missing value or another reason not to run
 * (exit 2 or 4), a script security warning (exit 6), something deprecated.
 */
export type KeepalivedClass = 'ok' | 'error' | 'fatal' | 'security' | 'deprecated'

/** What is known of a kind of remark, whatever it is about. */
export interface CodeInfo {
  readonly title: string
  /** What `keepalived -t` (2.2.7) makes of it. */
  readonly keepalived: KeepalivedClass
  /** The paragraph for `ipvs-ctl explain`: why it matters and what to do. */
  readonly doc: string
}

const code = (title: string, keepalived: KeepalivedClass, doc: string): CodeInfo => ({ title, keepalived, doc })

/** Every remark the reader can make. E: error, W: warning, N: note. Numbers are never used again for something else. */
export const codes = {
  E001: code(
    'the file cannot be read',
    'fatal',
    'The main configuration file is missing or unreadable. keepalived -t answers 0 in that case; this program does not.',
  ),
  E002: code(
    'a quote is not closed',
    'error',
    'A double quote runs to the next one on the same line; there is no escape for it. keepalived loses the text. Close the quote.',
  ),
  E003: code(
    'a typographic quote',
    'error',
    'Word processors and web pages turn plain quotes into typographic ones. They are ordinary characters to keepalived and end up in the value. Write a plain ".',
  ),
  E004: code(
    'a NUL byte',
    'error',
    'keepalived reads a line only up to its first NUL byte. The file is damaged, or in another encoding (UTF-16).',
  ),
  E005: code(
    'an undefined ${NAME}',
    'error',
    'keepalived leaves an unknown ${NAME} as it is and then takes its braces for those of a block, which breaks the rest of the file. Definitions are written $NAME=VALUE at the start of a line, before their first use.',
  ),
  E006: code(
    'a definition that cannot be',
    'error',
    'A definition is $NAME=VALUE at the start of a line, without a blank before the "=". It may refer to others, but not to itself; one of several lines must be the last thing on the line that uses it.',
  ),
  E007: code(
    'a sequence or list that cannot be',
    'error',
    '~SEQ(NAME, END), ~SEQ(NAME, START, END), ~SEQ(NAME, START, STEP, END), or ~LST(NAME, value, …) and ~LST({A,B}, {a1,b1}, …); the text to repeat follows on the same line.',
  ),
  E008: code(
    'too much is made of this line',
    'ok',
    'Repetitions and definitions multiply. What they make is bounded, so that a slip of the hand does not fill the memory.',
  ),
  E009: code(
    'a file cannot be included',
    'error',
    'The file cannot be read, or leads back to itself. Directories, executable files and anything but regular files are never included.',
  ),
  E010: code(
    'an unexpected "{"',
    'error',
    'An opening brace follows a keyword on the same or the next line. This one follows nothing.',
  ),
  E011: code(
    'a missing "{"',
    'error',
    'The keyword begins a block; its opening brace is missing. What follows is read as if it were there, where that makes sense.',
  ),
  E012: code(
    'a block that is never closed',
    'error',
    'A closing brace is missing. The block named is the one whose indentation does not fit; the brace may be missing anywhere after its beginning.',
  ),
  E013: code('a closing brace too many', 'error', 'A closing brace that closes nothing, or closes a block too early.'),
  E014: code(
    'a backslash at the end of a line',
    'error',
    'Lines cannot be continued, except in a definition ($NAME=…\\). keepalived keeps the backslash as part of the last word.',
  ),
  E015: code(
    'a condition without a name',
    'error',
    '@NAME at the start of a line keeps the line only where the configuration id is NAME; @^NAME where it is not.',
  ),
  E016: code('an include without a match', 'error', 'This kind of include insists on a match.'),
  E020: code(
    'not a number',
    'error',
    'Numbers are decimal and nothing may follow them: keepalived takes 100abc for 100 when it runs and refuses it in a test. Times are seconds with at most six decimals; whole-number keywords take none.',
  ),
  E021: code(
    'a number out of range',
    'error',
    'keepalived ignores the line, so that the default or an earlier value holds.',
  ),
  E022: code('a value that is not right', 'error', 'The value does not have the form this keyword needs.'),
  E023: code('a value that is too long', 'error', 'The kernel or the protocol has room for fewer characters.'),
  E024: code(
    'not one of the choices',
    'error',
    'Choices are case sensitive unless the manual says otherwise. keepalived ignores the line, so that the default holds.',
  ),
  E025: code('not a boolean', 'error', 'on, true, yes, off, false and no, in lower case.'),
  E026: code('not an address', 'error', 'Addresses are numeric: keepalived looks no names up for servers and VIPs.'),
  E027: code(
    'a command line that cannot be split',
    'error',
    'Command lines are split like a shell does: blanks separate, single and double quotes keep blanks, a backslash escapes.',
  ),
  E028: code(
    'a missing value',
    'fatal',
    'The keyword needs a value. keepalived ends at once with status 2 when it meets this.',
  ),
  E029: code(
    'words missing before "{"',
    'fatal',
    'The block needs a name or an address between its keyword and its brace.',
  ),
  E030: code(
    'an unknown keyword',
    'error',
    'Nothing of this name stands in this block. keepalived ignores the line, and of an unknown block only the first line: what it holds is then read as if it stood outside, and its brace closes the block around it. This program leaves an unknown block out whole.',
  ),
  E031: code(
    'a keyword in the wrong place',
    'error',
    'The keyword exists, but in another block. keepalived ignores the line.',
  ),
  E032: code(
    'statements run together',
    'error',
    'Only line breaks and braces separate statements. Line breaks were lost here, often by copying from a web page; keepalived takes the rest of the line for a value.',
  ),
  E033: code(
    'documentation syntax',
    'error',
    'A|B, <INT>, [..] and "..." are how manuals describe what may be written. Write one of the choices.',
  ),
  E034: code('a block where a value is wanted', 'error', 'The keyword takes its value on its line and no braces.'),
  E036: code('a required keyword is missing', 'error', 'The block is no use without it.'),
  E040: code(
    'an undefined reference',
    'error',
    'Nothing of this name is defined: a virtual_server_group, vrrp_script, vrrp_instance, track_file, track_process or bfd_instance.',
  ),
  E041: code(
    'a range that is none',
    'error',
    'The end of a range must be greater than its start, and a network must have no bits set beyond its prefix.',
  ),
  E042: code(
    'a range with too many addresses',
    'ok',
    'A range becomes one kernel service for each address. This one would make more than 65,536.',
  ),
  E043: code(
    'a script argument outside quotes',
    'error',
    'After a script, keepalived expects the user and group that run it. Arguments belong inside the quotes, with the command: notify_master "/path/script argument".',
  ),
  E044: code(
    'a check this version cannot run',
    'ok',
    'The check is read and its options are checked, but it cannot be run yet. The virtual server is left out: a server without its check would count as always up.',
  ),
  E050: code(
    'a duplicate virtual server',
    'ok',
    'Two virtual servers have the same address, port and protocol. The kernel has room for one; keepalived does not notice and mixes both. The second is left out.',
  ),
  E051: code(
    'a duplicate name',
    'error',
    'The name is taken by an earlier block of the same kind; the second is left out, as keepalived does.',
  ),
  E052: code(
    'the same VRID twice',
    'fatal',
    'Two vrrp_instances of one interface and family have the same virtual_router_id: they would fight each other. keepalived refuses to start.',
  ),
  E060: code(
    'a virtual server without a server',
    'error',
    'There is no real_server in it. keepalived leaves the virtual server out.',
  ),
  E061: code(
    'address families that do not go together',
    'error',
    'An IPv4 service can only forward to IPv6 servers, or the other way round, through a tunnel (lvs_method TUN).',
  ),
  E062: code(
    'tunnel options that do not go together',
    'error',
    'gue needs a port and only gue takes one; ipip has no checksum options; gre has no remcsum. They need lvs_method TUN.',
  ),
  E063: code(
    'a checker that cannot check',
    'error',
    'Without this the checker would be left out and the server taken as always up.',
  ),
  E064: code(
    'thresholds that invert',
    'ok',
    'The lower threshold, at which a server is used again, is above the upper one at which it is left alone. The kernel refuses the server (ERANGE).',
  ),
  E065: code('a VRRP instance that cannot run', 'fatal', 'keepalived refuses to start with such an instance.'),
  E066: code(
    'a source of real servers without a template',
    'ok',
    'Servers that real_servers_from brings are all weighted, forwarded to and checked alike, as the real_server_template of the virtual_server says; it holds what a real_server can. An empty one makes servers that are never checked, and is for you to write.',
  ),
  E067: code(
    'a source of real servers that cannot be',
    'ok',
    'real_servers_from dns NAME [type A|AAAA|SRV] [port N] [min_ttl SECONDS] [max N], or real_servers_from etcd URL prefix KEY [port N] [max N]. The name is written in full: no search domain is added, and /etc/hosts is not looked at. The URL is that of the JSON gateway of etcd 3.4 or later, such as http://127.0.0.1:2379.',
  ),
  E068: code(
    'a check of the data path that cannot be',
    'ok',
    'data_path checks the address of the virtual server through one real server, by an IPVS service of its own for a mark out of data_path_marks FIRST LAST (global_defs). It needs lvs_method DR or TUN, one family on the whole way, a mark for every real server that is checked so, and marks that nothing else uses.',
  ),
  E070: code(
    'JSON that does not fit the schema',
    'ok',
    'The JSON spelling is described by configs/ipvs-director.schema.json, which editors can use to check while you type.',
  ),
  E071: code(
    'not JSON',
    'ok',
    'The file begins with a brace, so it is read as the JSON spelling; it is no JSON by RFC 8259.',
  ),
  W003: code(
    'a line longer than keepalived reads',
    'error',
    'keepalived ignores lines longer than 1023 bytes. This program reads them.',
  ),
  W004: code(
    'a comment that is none',
    'error',
    '"//" and "---" are no comments to keepalived: the words after them are ignored by most keywords, but taken as values by some. This program leaves them out. Write "#".',
  ),
  W005: code(
    'an include without a match',
    'ok',
    'Nothing is included. keepalived says so at most in its log, and starts. Use includem or includew to make it an error.',
  ),
  W006: code(
    'a file that is not included',
    'ok',
    'Directories, executable files and special files are skipped by include.',
  ),
  W007: code(
    'an undefined $NAME',
    'ok',
    'Nothing of this name is defined before this line; it stays as it is written.',
  ),
  W008: code(
    'an odd blank',
    'error',
    'A no-break or other typographic blank looks like a blank and is part of a word to keepalived. It is taken as a blank here.',
  ),
  W009: code(
    'a typographic quote inside quotes',
    'ok',
    'A typographic quote between plain ones is a character of the value: a path with it is not found.',
  ),
  W010: code(
    'a $NAME that is not replaced',
    'ok',
    '$NAME is replaced only before a blank, a comma, a closing parenthesis or the end of the line. Write ${NAME}.',
  ),
  W011: code(
    'a file without anything in it',
    'ok',
    'No block and no keyword is in it, also not in what it includes: it is empty, or on another machine its lines count. A reload that would end everything this way is refused, as a file is empty for a moment while it is being written.',
  ),
  W020: code('extra words', 'ok', 'Words that the keyword does not take are ignored.'),
  W021: code(
    'a number brought into range',
    'error',
    'The nearest number within the range is used, as keepalived does.',
  ),
  W022: code('too many decimals', 'error', 'Times have microseconds at best; the rest is rounded.'),
  W023: code(
    'a value after a flag',
    'ok',
    'The keyword is a flag: standing there turns it on, whatever word follows. "nopreempt 0" turns it on.',
  ),
  W024: code(
    'written twice',
    'ok',
    'The keyword stands twice in this block. Of most the last counts; of scripts the first.',
  ),
  W025: code('a deprecated keyword', 'ok', 'It works, but there is a better one.'),
  W026: code('a keyword that is not supported', 'ok', 'It is read and has no effect; the reason is told.'),
  W028: code(
    'not acted on yet',
    'ok',
    'The block is read and checked, but this version of the program does nothing with it yet.',
  ),
  W029: code(
    'scripts without script security',
    'security',
    'Scripts are configured and enable_script_security is off: a script that others than root can change would run as root.',
  ),
  W030: code(
    'a keyword as in old versions',
    'error',
    'Newer keepalived wants a value here. It is read as old versions did.',
  ),
  W040: code(
    'no scheduler given',
    'error',
    'lb_algo (lvs_sched) is missing or unknown: wlc is used, as keepalived does.',
  ),
  W041: code(
    'no forwarding method given',
    'error',
    'lb_kind (lvs_method) is missing: NAT is used, as keepalived does.',
  ),
  W042: code(
    'no protocol given',
    'error',
    'protocol is missing: keepalived uses UDP, and so does this program. A web service needs "protocol TCP".',
  ),
  W043: code(
    'a quorum that can never be reached',
    'ok',
    'Quorum and hysteresis together ask for more weight than all real servers have: once lost, the quorum is never gained again.',
  ),
  W044: code(
    'a hysteresis as large as the quorum',
    'error',
    'It is lowered to one less than the quorum, as keepalived does.',
  ),
  W045: code(
    'another port behind direct routing',
    'error',
    "With DR and TUN packets reach the real server unchanged, port included. The virtual server's port is used, as keepalived does.",
  ),
  W046: code(
    'port 0 without persistence',
    'error',
    'The kernel takes a service for all ports only with persistence: persistence_timeout 360 is used, as keepalived does.',
  ),
  W047: code(
    'an option without effect here',
    'error',
    'The option does not go with the rest of this virtual server and is cleared, as keepalived does.',
  ),
  W048: code(
    'the same real server twice',
    'error',
    'The second real_server with this address and port is left out, as keepalived does.',
  ),
  W049: code(
    'a scheduler flag before the scheduler',
    'error',
    'sh-port, sh-fallback, mh-port and mh-fallback count only after lb_algo sh or mh in the same block, as in keepalived.',
  ),
  W050: code(
    'a check that may take longer than its interval',
    'ok',
    'With this timeout a failed check ends after the next one would have begun, so that failures are noticed later than delay_loop suggests.',
  ),
  W051: code(
    'a VIP that is also a real server',
    'ok',
    'A real server has the address of its own virtual server. With the address on the director, it would be forwarding to itself.',
  ),
  W052: code('weights that can never be used', 'ok', 'All real servers have weight 0: the service answers nobody.'),
  W053: code('a virtual server without checks', 'ok', 'No real server has a checker: they are taken as always up.'),
  W054: code(
    'a sorry server option without a sorry server',
    'error',
    'sorry_server_inhibit and sorry_server_lvs_method must stand after sorry_server.',
  ),
  W055: code(
    'a loopback or network address where a host is meant',
    'ok',
    'The address is probably a slip of the hand: 127.0.0.0 for 127.0.0.1.',
  ),
  W056: code(
    'a mask with holes',
    'ok',
    'The kernel takes any mask. One whose ones do not come first is probably a slip of the hand.',
  ),
  W057: code(
    'a template that nothing uses',
    'ok',
    'real_server_template is for the servers that real_servers_from brings. Servers of the file say everything themselves.',
  ),
  W058: code(
    'a link-local address without its interface',
    'ok',
    'fe80::1 may be on every interface. Without bind_if the check cannot be made, so that it says nothing of the server: it counts as what it was taken for.',
  ),
  W059: code(
    'a check without a port',
    'ok',
    'Neither the check nor the real server nor the virtual server says a port (that of a fwmark, or port 0, is none), so that port 0 is asked, where nobody answers. connect_port names one.',
  ),
  W060: code(
    'nopreempt with state MASTER',
    'error',
    'A machine that begins as MASTER takes over whatever nopreempt says, so keepalived clears it. Both machines should have "state BACKUP"; the priority decides who begins.',
  ),
  W061: code(
    'vrrp_strict with what it forbids',
    'ok',
    'vrrp_strict holds to the RFC, which has no authentication and no unicast peers. keepalived stops the instance or leaves the option out.',
  ),
  W062: code(
    'auth_pass longer than eight characters',
    'error',
    'The packet has room for eight; the rest is cut off. Two machines with different versions may cut differently, and then both become master.',
  ),
  W063: code('options that contradict each other', 'error', 'One of them has no effect.'),
  W064: code(
    'a sync group whose members differ',
    'ok',
    'A sync group moves as one. With different advert_int it notices a failure as late as the slowest member; with different priorities two machines can each win an election and take it from each other.',
  ),
  W065: code(
    'the same VIP twice',
    'ok',
    'The address stands in two instances, or twice in one. Both hold and advertise it, as in keepalived: the one that becomes backup takes it from the other.',
  ),
  W066: code(
    'an instance without an address',
    'error',
    'VRRPv3 and vrrp_strict do not allow it (E065). Write no_virtual_ipaddress where it is meant.',
  ),
  W067: code(
    'mixed families in virtual_ipaddress',
    'error',
    'One advertisement has addresses of one family. keepalived ignores those of the other; virtual_ipaddress_excluded takes both.',
  ),
  W068: code(
    'an interval the protocol does not have',
    'error',
    'VRRPv2 has whole seconds, VRRPv3 hundredths up to 40.95 s.',
  ),
  W069: code('a unicast option without peers', 'error', 'Without unicast_peer advertisements go by multicast.'),
  W070: code('authentication with VRRPv3', 'error', 'VRRPv3 has none; the block is left out.'),
  W073: code(
    'state MASTER without a priority',
    'ok',
    'keepalived then uses priority 255, which means that the addresses belong to this machine: it does not listen to others.',
  ),
  W074: code(
    'a unicast peer that is none',
    'ok',
    'A peer stands twice, or is an address of this instance, which is this machine itself while it holds it. It counts once.',
  ),
  W071: code(
    'an authentication that is not complete',
    'error',
    'auth_type and auth_pass belong together. keepalived goes without authentication, and so does this program: the other machine, which has both, then takes none of its advertisements.',
  ),
  W075: code(
    'weights that change nothing',
    'ok',
    'The owner of the addresses (priority 255) keeps its priority whatever its tracked things say; keepalived ignores their weights. Other priorities stay between 1 and 254: a weight beyond that has no effect.',
  ),
  W076: code(
    'a weight in a member of a sync group',
    'error',
    'The instances of a sync group move as one, so what they follow has no weights of its own there and is not followed. keepalived says so of interfaces, too, and counts their weights all the same, for that instance; so do we. Follow it in the vrrp_sync_group, or write sync_group_tracking_weight there.',
  ),
  W077: code(
    'the own interface is followed',
    'error',
    'An instance follows its own interface anyway: that it is down is a fault. keepalived ignores the entry.',
  ),
  W078: code(
    'an instance in two sync groups',
    'error',
    'An instance moves with one group. It stays in the first one, as in keepalived.',
  ),
  W079: code('a sync group of one', 'error', 'A group of one instance changes nothing.'),
  W080: code(
    'a script nobody follows',
    'error',
    'A vrrp_script is run for the instances and groups that name it in track_script. keepalived removes one that nobody names.',
  ),
  W081: code(
    'what vrrp_strict changes',
    'error',
    'vrrp_strict (strict_mode) holds to the RFC, whatever else is written. keepalived corrects it in the same way.',
  ),
  W082: code(
    'more addresses than an advertisement has room for',
    'error',
    'The first ones are advertised; the others are held like virtual_ipaddress_excluded, as in keepalived.',
  ),
  W083: code(
    'an arbiter that cannot decide',
    'ok',
    'arbitration asks somebody outside both directors, most often the router: an address that is gone with the other director, or held by it, tells nothing.',
  ),
  W084: code(
    'an empty list',
    'error',
    'Nothing stands between the braces. keepalived warns of it, as a template was probably not filled in.',
  ),
  W085: code(
    'a route without an interface',
    'error',
    'Which interface the route goes over is not told (dev), so that an instance cannot follow it. keepalived says so, too; no_track says that this is meant.',
  ),
  W086: code(
    'a rule without a preference',
    'error',
    'Rules without a preference get 16384, 16383 and so on in their order, as in keepalived: most often they then stand behind none of the others.',
  ),
  W087: code(
    'unicast with use_vmac',
    'error',
    'Advertisements by unicast leave from the interface below (vmac_xmit_base), whatever is written, as in keepalived.',
  ),
  W088: code(
    'a sorry server that is a real server, too',
    'error',
    'The sorry server has the address and port of a real server: while the quorum is lost the kernel has room for one of them. It is inhibited as the real server is.',
  ),
  W090: code(
    'a quorum above the weight of all real servers',
    'error',
    'The quorum is lowered to the sum of the weights, as keepalived does: a single server down loses it.',
  ),
  W091: code(
    'an entry of a group that serves nobody',
    'ok',
    'IPVS takes connections to all ports of an address only with persistence: give the entry a port, or the virtual_server a persistence_timeout.',
  ),
  N001: code('Windows line ends', 'ok', 'Lines end in CR LF. Both programs read them.'),
  N002: code(
    'a byte order mark',
    'error',
    'The file begins with the bytes EF BB BF, which keepalived takes as part of the first word. Save it without.',
  ),
  N003: code(
    'not UTF-8',
    'ok',
    'The file holds bytes that are no UTF-8. They are read one by one, so that nothing is lost; most often they are in comments.',
  ),
  N011: code(
    'mail without a server',
    'ok',
    'notification_email names who gets mail, and smtp_server who takes it. Without the second none is sent.',
  ),
  N012: code(
    'a small weight',
    'ok',
    'Priorities of two machines are often 50 apart. A weight of 2 then never makes the other one take over, a mistake made often because very old guides say so.',
  ),
  N013: code(
    'addresses that do not answer',
    'ok',
    'In strict mode packets to the addresses of an instance that does not own them are dropped, except for what is forwarded: they do not answer to ping. Write accept (VRRPv3) or go without vrrp_strict.',
  ),
  N014: code(
    'no link-local address',
    'ok',
    'RFC 9568 wants the first IPv6 address of an advertisement to be the link-local one of the virtual router. keepalived accepts others.',
  ),
  N015: code(
    'a unicast peer that is this machine',
    'ok',
    'One list for all machines is often written. The own unicast_src_ip is left out of it; keepalived sends its advertisements to itself, too.',
  ),
  N010: code(
    '0 means off',
    'error',
    'keepalived reports 0 as out of range and ignores the line, though samples everywhere write it. It is taken as "off", which is the same.',
  ),
} as const satisfies Record<string, CodeInfo>

export type Code = keyof typeof codes
