import { block, blocks, connection, dataPath, text, timing } from '@ipvs-director/config'
import type { CheckConnection } from '@ipvs-director/config'
import { formatDuration, millis, seconds } from '@ipvs-director/core'
import { defineChecker, type Probe } from '../define.ts'
import { smtpHealth } from '../health.ts'
import type { Connection } from '../io/port.ts'
import { targetOf } from '../io/target.ts'
import { failed, pass, ProbeFailure, type Finding } from '../verdict.ts'
import { SmtpReplyReader } from './reply.ts'

/** SMTP_CHECK as its probe gets it. */
export interface SmtpOptions {
  readonly heloName: string
}

/** Longest name that fits a command line (RFC 5321 §4.5.3.1.4). */
const maxName = 500

/**
 * SMTP_CHECK (keepalived's check_smtp.c): the server greets by 220, takes a HELO by 250, and answers QUIT by anything.
 * Unlike keepalived's, replies may have several lines.
 */
export const smtpCheck = defineChecker({
  block: block('SMTP_CHECK', 'Up when an SMTP server greets and takes a HELO.', {
    heloName: text('helo_name', {
      maxLength: maxName,
      syntax: 'NAME',
      doc: 'Name said in HELO; smtpchecker.keepalived.org when none is given.',
    }),
    hosts: blocks('host', 'One more address to check.', connection, {
      deprecated: 'use a SMTP_CHECK of its own for each',
    }),
    ...connection,
    ...dataPath,
    ...timing,
  }),
  defaults: { retry: 1, delayBeforeRetry: seconds(1) },
  others: 'hosts',
  health: smtpHealth,
  /** Connect, greeting, HELO, QUIT: each has connect_timeout, as with keepalived; a server that drips is out. */
  deadline: ({ timeout }) => millis(timeout * 4),
  complete(written, around) {
    if (around.dataPath && written.hosts.length > 0) around.error('data_path leads to no other host', 'host')
    const options: SmtpOptions = { heloName: written.heloName ?? 'smtpchecker.keepalived.org' }
    return { options }
  },
  async probe({ options, attempt, io }: Probe<SmtpOptions>, at: CheckConnection): Promise<Finding> {
    const { where } = targetOf(at)
    let opened: Connection | undefined
    try {
      opened = await io.connect(at, attempt)
      await converse(opened, options.heloName, where)
      return pass(`greeted and took HELO after ${formatDuration(attempt.elapsed())} from ${where}`)
    } catch (error) {
      return failed(error)
    } finally {
      opened?.close()
    }
  },
})

async function converse(connection: Connection, heloName: string, where: string): Promise<void> {
  await expectReply(connection, 'the greeting', 220, where)
  connection.write(`HELO ${heloName}\r\n`)
  await expectReply(connection, 'HELO', 250, where)
  connection.write('QUIT\r\n')
  await expectReply(connection, 'QUIT', undefined, where)
}

/** Reads one reply; `code` undefined: any will do. */
async function expectReply(connection: Connection, to: string, code: number | undefined, where: string): Promise<void> {
  const reader = new SmtpReplyReader()
  await connection.read((chunk) => reader.take(chunk))
  const { reply } = reader
  if (reply === undefined) throw new ProbeFailure('protocol', `closed instead of answering (${to}): ${where}`)
  if (code !== undefined && reply.code !== code) {
    throw new ProbeFailure('mismatch', `got ${reply.code}, wanted ${code} (${to}) from ${where}`)
  }
}
