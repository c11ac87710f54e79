import { block, connection, dataPath, oneOf, text, timing, type CheckConnection } from '@ipvs-director/config'
import { formatDuration } from '@ipvs-director/core'
import { randomInt } from 'node:crypto'
import { defineChecker, type Probe } from '../define.ts'
import { dnsHealth } from '../health.ts'
import type { Datagrams } from '../io/port.ts'
import { targetOf } from '../io/target.ts'
import { fail, failed, pass, type Finding } from '../verdict.ts'
import { decodeAnswer, encodeQuery, queryTypes, rcodeName, splitName, type Answer, type QueryType } from './codec.ts'

/** DNS_CHECK as its probe gets it. */
export interface DnsOptions {
  readonly type: QueryType
  readonly labels: readonly string[]
}

const types = Object.keys(queryTypes) as QueryType[]

/** DNS_CHECK (keepalived's check_dns.c): one query over UDP is answered without an error; what the answer says is not looked at. */
export const dnsCheck = defineChecker({
  block: block('DNS_CHECK', 'Up when a DNS query is answered with RCODE 0.', {
    type: oneOf('type', types, { ignoreCase: true, default: 'SOA', doc: 'Type of the record to ask for.' }),
    name: text('name', { syntax: 'NAME', doc: 'Name to ask for; the root when none is given.' }),
    ...connection,
    ...dataPath,
    ...timing,
  }),
  defaults: { retry: 3, delayBeforeRetry: 'delayLoop' },
  health: dnsHealth,
  complete({ type, name }, around) {
    const labels = splitName(name ?? '.')
    if (labels === undefined) around.error(`"${name ?? ''}" is not a domain name`, 'name')
    const options: DnsOptions = { type, labels: labels ?? [] }
    return { options }
  },
  async probe({ options, attempt, io }: Probe<DnsOptions>, at: CheckConnection): Promise<Finding> {
    let datagrams: Datagrams | undefined
    try {
      const id = randomInt(0x10000)
      let answer: Answer | undefined
      datagrams = await io.datagrams(at, attempt)
      datagrams.send(encodeQuery(id, options.labels, options.type))
      await datagrams.receive((data) => {
        answer = readAnswer(data, id)
        return answer !== undefined
      })
      const question = `${options.type} ${options.labels.join('.')}.`
      const seen = `for ${question} after ${formatDuration(attempt.elapsed())} from ${targetOf(at).where}`
      const rcode = answer?.rcode ?? 0
      if (rcode !== 0) return fail('mismatch', `got ${rcodeName(rcode)} ${seen}`)
      return pass(`got ${rcodeName(rcode)} ${seen}`)
    } catch (error) {
      return failed(error)
    } finally {
      datagrams?.close()
    }
  },
})

/** Undefined for what is not the answer to our query: it is waited on. */
function readAnswer(data: Buffer, id: number): Answer | undefined {
  if (data.length < 12) return undefined
  const answer = decodeAnswer(data)
  return answer.isAnswer && answer.id === id ? answer : undefined
}
