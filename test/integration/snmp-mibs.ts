import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The modules that KEEPALIVED-MIB, VRRP-MIB and VRRPv3-MIB import from. Debian's main archive has them not, for their licence; so
 * here is what net-snmp's parser needs of them to know names and types, and nothing of their text.
 */
const modules: Readonly<Record<string, string>> = {
  'SNMPv2-SMI': `
org OBJECT IDENTIFIER ::= { iso 3 }
dod OBJECT IDENTIFIER ::= { org 6 }
internet OBJECT IDENTIFIER ::= { dod 1 }
mgmt OBJECT IDENTIFIER ::= { internet 2 }
mib-2 OBJECT IDENTIFIER ::= { mgmt 1 }
private OBJECT IDENTIFIER ::= { internet 4 }
enterprises OBJECT IDENTIFIER ::= { private 1 }
snmpV2 OBJECT IDENTIFIER ::= { internet 6 }
`,
  'SNMPv2-TC': `
IMPORTS TimeTicks FROM SNMPv2-SMI;
${[
  'DisplayString OCTET STRING (SIZE (0..255))',
  'MacAddress OCTET STRING (SIZE (6))',
  'TruthValue INTEGER { true(1), false(2) }',
  'TimeStamp TimeTicks',
  'TimeInterval INTEGER (0..2147483647)',
  'RowStatus INTEGER { active(1), notInService(2), notReady(3), createAndGo(4), createAndWait(5), destroy(6) }',
]
  .map((line) => line.replace(/^(\w+) (.*)$/, '$1 ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX $2'))
  .join('\n')}
`,
  'SNMPv2-CONF': '\n',
  'INET-ADDRESS-MIB': `
IMPORTS TEXTUAL-CONVENTION FROM SNMPv2-TC Unsigned32 FROM SNMPv2-SMI;
${[
  'InetAddressType INTEGER { unknown(0), ipv4(1), ipv6(2), ipv4z(3), ipv6z(4), dns(16) }',
  'InetAddress OCTET STRING (SIZE (0..255))',
  'InetPortNumber Unsigned32 (0..65535)',
  'InetAddressPrefixLength Unsigned32 (0..2040)',
  'InetScopeType INTEGER { interfaceLocal(1), linkLocal(2), subnetLocal(3), adminLocal(4), siteLocal(5), organizationLocal(8), global(14) }',
]
  .map((line) => line.replace(/^(\w+) (.*)$/, '$1 ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX $2'))
  .join('\n')}
`,
  'IF-MIB': `
IMPORTS mib-2, OBJECT-TYPE, Integer32 FROM SNMPv2-SMI TEXTUAL-CONVENTION FROM SNMPv2-TC;
InterfaceIndex ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX Integer32 (1..2147483647)
interfaces OBJECT IDENTIFIER ::= { mib-2 2 }
ifTable OBJECT IDENTIFIER ::= { interfaces 2 }
ifEntry OBJECT IDENTIFIER ::= { ifTable 1 }
ifIndex OBJECT-TYPE SYNTAX InterfaceIndex MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= { ifEntry 1 }
`,
}

/** Writes them, each into a file of its name. */
export function writeBasicMibs(folder: string): void {
  for (const [name, body] of Object.entries(modules)) {
    writeFileSync(join(folder, `${name}.txt`), `${name} DEFINITIONS ::= BEGIN\n${body}\nEND\n`)
  }
}
