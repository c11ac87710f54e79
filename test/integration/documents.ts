import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lab/root.ts'

/** A command that a document tells people to type. */
export interface Command {
  readonly file: string
  readonly text: string
}

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`),
  ...['docs/doctor.md', 'docs/troubleshooting.md', 'docs/migrating.md', 'docs/reliability.md', 'README.zh.md'],
]

/** Every line of the documents' shell blocks, in their order, without remarks. */
export const documentedCommands: readonly Command[] = documents.flatMap((file) => {
  const blocks = readFileSync(join(root, file), 'utf8').matchAll(/^ *```(\w*)\n([^]*?)^ *```/gm)
  return [...blocks].flatMap(([, language = '', text = '']) =>
    text
      .split('\n')
      .map((line) => line.trim())
      // Blocks without a language hold screens, too; what stands two blanks behind a command explains it.
      .map((line) =>
        language === 'sh'
          ? line.replace(/\s+#.*$/, '')
          : /^(?:node build\/|npm ).*/.test(line)
            ? line.replace(/ {2,}.*$/, '')
            : '',
      ) // prettier-ignore
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => ({ file, text: line })),
  )
})

/** What is done with a command. */
export type Treatment =
  /** Run once, wherever it stands; it changes nothing. `code`: exit statuses that are in order. */
  | { readonly do: 'look'; readonly on: Place; readonly code: readonly number[] }
  /** Run each time, in the order of the document. */
  | { readonly do: 'change'; readonly on: Place; readonly code: readonly number[] }
  /** Starts the director, as systemd would. */
  | { readonly do: 'start' }
  | { readonly do: 'not'; readonly why: string }
export type Place = 'director' | 'rs1' | 'client'

const ok = [0] as const
const look = (on: Place = 'director', code: readonly number[] = ok): Treatment => ({ do: 'look', on, code })
const change = (on: Place = 'director', code: readonly number[] = ok): Treatment => ({ do: 'change', on, code })
const not = (why: string): Treatment => ({ do: 'not', why })
/** It goes on until it is ended, by timeout(1). */
const endless = [124] as const
/** The doctor finds something in a lab always. */
const findings = [0, 1] as const

/** The first that fits counts. */
const treatments: readonly (readonly [pattern: RegExp, treatment: Treatment])[] = [
  [/^systemctl (?:enable --now|start) ipvs-director/, { do: 'start' }],
  [
    /^(?:systemctl|journalctl)/,
    not('systemd is not process 1 of a lab; `npm run newcomer` and packaging tests have it'),
  ],
  [/^apt /, not('installs into the machine; test/unit/package.test.ts and `npm run newcomer` install the package')],
  [/^(?:npm|git) /, not('the checkout of this very test')],
  [/^node build\/ipvs-director\.js -f/, { do: 'start' }],
  [
    /127\.0\.0\.1:2379/,
    not('wants an etcd; packages/director/src/sources/etcd.test.ts runs one where it is installed'),
  ],
  [/^ipvs-director --compare/, not('wants a keepalived that serves; test/integration/compare.lab.test.ts has one')],
  [/compare\/control\.sock/, not('as the line before')],
  [/^(?:tcpdump|arping) /, not('listens on the wire for as long as somebody looks')],
  [/^(?:nft|iptables) /, not('changes a firewall that the kernel of a lab does not have')],
  [/^modprobe/, look('director', [0, 1])],
  [/doctor --real-server.*--fix/, change('rs1', findings)],
  [/doctor --real-server/, look('rs1', findings)],
  [/^ipvs-ctl doctor/, look('director', findings)],
  [/^ipvs-ctl (?:watch|events .*--follow)/, look('director', endless)],
  [/^ipvs-ctl status --exit-code/, look('director', [0, 6])],
  [/^(?:sysctl -w net\.ipv4\.conf|ip link set tunl0|ip addr add \S+ dev (?:lo|tunl0)|ip route)/, change('rs1', [0, 2])],
  [/^(?:sysctl|ip addr add|chmod|kill)/, change('director', [0, 2])],
  [/^curl http:\/\/10\.1\.0\.100/, look('client')],
  [/^(?:ipvsadm|ip |curl --unix-socket|ss |df )/, look()],
  [/^(?:ipvs-ctl|node build\/ipvs-ctl\.js) (?:status|check|config|events|servers|checks|explain|drift|vrrp$|plan|completion)/, look()], // prettier-ignore
  [/^(?:ipvs-director|node build\/ipvs-director\.js) -t/, look('director', [0, 4])],
  // The guide shows two ways to remove the same one.
  [/^ipvs-ctl remove-service \S+$/, change('director', [0, 1])],
  [/^ipvs-ctl /, change()],
]

/** Throws where nothing is said of a command: whoever writes one decides what the test does with it. */
export function treatmentOf({ file, text }: Command): Treatment {
  const found = treatments.find(([pattern]) => pattern.test(text))
  if (found === undefined) throw new Error(`${file}: nothing says how "${text}" is to be tested`)
  return found[1]
}
