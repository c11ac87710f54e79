import { fakeClock, type FakeClock } from '@ipvs-director/core/testing'
import type { ConfigTools } from '../config-tools.ts'
import type { Doctor } from '../doctor-tools.ts'
import type { CtlTools, Output } from '../tools.ts'
import { fixtureNow } from './fixtures.ts'

/** Tools that keep what was written, and hands to press keys and Ctrl-C with. */
export interface FakeTools extends CtlTools {
  readonly clock: FakeClock
  /** All that was written so far. */
  out(): string
  err(): string
  press(key: string): void
  resize(columns: number, rows: number): void
  interrupt(): void
  /** Whether somebody reads keys (the terminal is in raw mode). */
  raw(): boolean
}

export interface FakeToolsOptions {
  readonly env?: Readonly<Record<string, string>>
  /** A terminal of that size; default: no terminal. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
  /** Those not given refuse. */
  readonly configTools?: Partial<ConfigTools>
  /** Without one it refuses. */
  readonly doctor?: Doctor
}

export function fakeTools({ env = {}, terminal, configTools, doctor }: FakeToolsOptions = {}): FakeTools {
  const written = { out: '', err: '' }
  const listeners = new Set<(key: string) => void>()
  const sizes = new Set<() => void>()
  const size = { ...terminal }
  const interruption = new AbortController()
  const output = (name: 'out' | 'err'): Output => ({
    write: (text) => {
      written[name] += text
    },
    isTTY: terminal !== undefined,
    get columns() {
      return size.columns
    },
    get rows() {
      return size.rows
    },
  })
  return {
    version: '0.1.0',
    stdout: output('out'),
    stderr: output('err'),
    env,
    clock: fakeClock(fixtureNow),
    interrupted: interruption.signal,
    keys: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    resized: (listener) => {
      sizes.add(listener)
      return () => sizes.delete(listener)
    },
    configTools: () =>
      Promise.resolve({
        check: () => Promise.reject(new Error('no file')),
        convert: () => Promise.reject(new Error('no file')),
        format: (text) => text,
        explain: () => undefined,
        codes: () => [],
        ...configTools,
      }),
    doctor: () => Promise.resolve(doctor ?? (() => Promise.reject(new Error('no doctor')))),
    out: () => written.out,
    err: () => written.err,
    press: (key) => {
      for (const listener of listeners) listener(key)
    },
    resize: (columns, rows) => {
      Object.assign(size, { columns, rows })
      for (const listener of sizes) listener()
    },
    interrupt: () => {
      interruption.abort()
    },
    raw: () => listeners.size > 0,
  }
}
