import { block, command, flag, integer, timing, value, wordsKind, type Script } from '@ipvs-director/config'
import { formatDuration, seconds, millis } from '@ipvs-director/core'
import { defineLocalChecker, type Probe } from './define.ts'
import { fail, failed, pass, type Finding } from './verdict.ts'

/** What a MISC_CHECK needs to know to run. */
export interface MiscOptions {
  readonly script: Pick<Script, 'words' | 'user' | 'group'>
  /** Exit codes from 2 on are weights. */
  readonly dynamic: boolean
}

/**
 * MISC_CHECK (keepalived's check_misc.c): a script decides by its exit code; 0 is up. With misc_dynamic 2..255 is up
 * too, and asks for the weight `exit - 2`. The interval runs from the start of the script.
 */
export const miscCheck = defineLocalChecker({
  block: block('MISC_CHECK', 'Up when a script exits with 0.', {
    path: command('misc_path', { required: true, doc: 'The script and its arguments, in one pair of quotes.' }),
    timeout: integer('misc_timeout', {
      min: 1,
      max: 4294,
      inherits: 'virtual_server delay_loop',
      doc: 'Seconds until the script is ended; a script that has to be is a failure.',
    }),
    dynamic: flag('misc_dynamic', { doc: 'Exit codes 2 to 255 mean up with the weight code - 2.' }),
    user: value('user', wordsKind({ min: 1, max: 2, what: 'USER [GROUP]' }), {
      doc: 'The user, and optionally the group, that runs the script.',
      inherits: 'script_user',
    }),
    ...timing,
  }),
  defaults: { retry: 0, delayBeforeRetry: seconds(1) },
  interval: 'start',
  local: true,
  /** The script has its own end; this is only for one that hangs in the kernel. */
  deadline: ({ timeout }) => millis(timeout + seconds(10)),
  complete({ path, timeout, dynamic, user }, around) {
    if (path === undefined) around.error('MISC_CHECK needs a misc_path', 'misc_path')
    const [name, group] = user ?? []
    const script = {
      words: path?.words ?? [],
      ...(name === undefined ? {} : { user: name }),
      ...(group === undefined ? {} : { group }),
    }
    return {
      options: { script, dynamic } satisfies MiscOptions,
      timeout: timeout === undefined ? around.virtualServer.delayLoop : seconds(timeout),
    }
  },
  async probe({ options, attempt, io, timeout }: Probe<MiscOptions>) {
    try {
      const end = await io.run(options.script, timeout, attempt)
      const took = `after ${formatDuration(attempt.elapsed())}`
      const name = options.script.words[0] ?? ''
      switch (end.kind) {
        case 'timeout':
          return fail('timeout', `${name} did not end within ${formatDuration(timeout)}`)
        case 'signal':
          return fail('mismatch', `${name} ended by ${end.signal} ${took}`)
        case 'exit':
          return exited(name, end.code, options.dynamic, took)
      }
    } catch (error) {
      return failed(error)
    }
  },
})

function exited(name: string, code: number, dynamic: boolean, took: string): Finding {
  if (code === 0) return pass(`${name} exited with 0 ${took}`)
  if (!dynamic || code === 1) return fail('mismatch', `${name} exited with ${code} ${took}`)
  return pass(`${name} exited with ${code} ${took}: weight ${code - 2}`, code - 2)
}
