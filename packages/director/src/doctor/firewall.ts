/** What comes in by a firewall, read from the text of `nft list ruleset` and `iptables-save`. */

/** Whether VRRP passes: refused by a rule of its own, taken by no rule, perhaps by one that names it not, taken. */
export type Passage = 'refused' | 'not taken' | 'perhaps' | 'taken'

export function vrrpThrough(rules: string): Passage {
  const lines = rules.split('\n').map((line) => line.trim())
  const about = lines.filter((line) => /\bvrrp\b|(?:-p|protocol|l4proto|nexthdr)\s+112\b|224\.0\.0\.18\b/i.test(line))
  if (about.some(refuses)) return 'refused'
  const chains = [...inputChains(lines), iptablesInput(lines)]
  if (!chains.some(isClosed) || about.length > 0) return 'taken'
  return chains.some((chain) => chain.some(takesWidely)) ? 'perhaps' : 'not taken'
}

const refuses = (line: string): boolean => /\b(drop|reject)\b/i.test(line)

/** The rules of nft's chains at the hook "input"; nft prints a chain's end on a line of its own. */
function inputChains(lines: readonly string[]): string[][] {
  const chains: string[][] = []
  let chain: string[] | undefined
  for (const line of lines) {
    if (/^chain \S+ \{$/.test(line)) chain = []
    else if (line === '}') {
      if (chain?.some((one) => /\bhook input\b/.test(one)) === true) chains.push(chain)
      chain = undefined
    } else chain?.push(line)
  }
  return chains
}

const iptablesInput = (lines: readonly string[]): string[] => lines.filter((line) => /^(:INPUT|-A INPUT) /.test(line))

/** By its policy, or by a rule without a condition. */
const isClosed = (chain: readonly string[]): boolean =>
  chain.some(
    (line) =>
      /hook input.*policy drop|^:INPUT DROP/.test(line) ||
      /^(counter packets \d+ bytes \d+ )?(drop|reject)\b/.test(line) ||
      /^-A INPUT -j (DROP|REJECT)/.test(line),
  )

/** A rule that takes packets by where they come from or go to, and not by what they are. */
const takesWidely = (line: string): boolean =>
  /\baccept\b/i.test(line) &&
  !/hook input|^:INPUT|dport|sport|\b(tcp|udp|icmp|icmpv6|ipv6-icmp)\b|\bstate\b|ctstate|"lo"|-i lo\b/.test(line)
