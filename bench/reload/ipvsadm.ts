import type { Host, Result } from '../../test/lab/index.ts'
import { timed } from '../measure.ts'
import { Impatience, patience, type Contestant } from './contestants.ts'

/**
 * What somebody does who keeps rules for `ipvsadm -R` in a file and writes a new one. Where nothing has changed the table is
 * listed by `ipvsadm -Sn` and compared, line by line; where it is one real server, that one is edited by `ipvsadm -e`, by
 * somebody who knows which; else all goes (`-C`) and comes anew (`-R`), without any service in between.
 */
export async function startIpvsadm(host: Host, first: string): Promise<Contestant> {
  let rules = first
  await ipvsadm(host, ['-R'], rules)
  return {
    async reload(next) {
      const took = await timed(() => change(host, rules, next))
      rules = next
      return took
    },
    resident: () => NaN,
    residents: () => [],
    stop: () => Promise.resolve(),
  }
}

async function change(host: Host, before: string, next: string): Promise<void> {
  const known = new Set(before.split('\n'))
  const [changed, ...others] = next.split('\n').filter((line) => !known.has(line))
  if (changed === undefined) expectSame((await ipvsadm(host, ['-Sn'])).stdout, next)
  else if (others.length === 0 && changed.startsWith('-a ')) {
    await ipvsadm(host, changed.replace('-a', '-e').split(' '))
  } else {
    await ipvsadm(host, ['-C'])
    await ipvsadm(host, ['-R'], next)
  }
}

/** The kernel lists its table in an order of its own. */
function expectSame(actual: string, expected: string): void {
  const sorted = (text: string): string => text.trim().split('\n').sort().join('\n')
  if (sorted(actual) !== sorted(expected)) throw new Error('the table is not what ipvsadm has made of it')
}

async function ipvsadm(host: Host, words: readonly string[], input?: string): Promise<Result> {
  const running = host.spawn(['ipvsadm', ...words], input === undefined ? {} : { input })
  const timer = setTimeout(() => {
    running.kill()
  }, patience)
  const code = await running.ended
  clearTimeout(timer)
  if (code > 128) throw new Impatience(`ipvsadm ${words.join(' ')} is never done`)
  if (code !== 0) throw new Error(`ipvsadm ${words.join(' ')}: ${running.stderr}`)
  return { code, stdout: running.stdout, stderr: running.stderr }
}
