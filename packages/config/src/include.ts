import { describeError } from '@ipvs-director/core'
import { dirname, resolve } from 'node:path'
import type { Place } from './place.ts'
import type { Remarks } from './diagnostics.ts'
import { expandBraces, glob, hasWildcard } from './glob.ts'
import type { ReadFile } from './read-file.ts'
import { decode, type Source } from './source.ts'
import type { Steps } from './steps.ts'

/** What an include insists on: that matches can be read, that something matches, that each brace alternative does. */
interface Strictness {
  readonly readable: boolean
  readonly match: boolean
  readonly wildcard: boolean
  readonly brace: boolean
}

const levels: Readonly<Record<string, Strictness>> = {
  include: { readable: false, match: false, wildcard: false, brace: false },
  includer: { readable: true, match: false, wildcard: false, brace: false },
  includem: { readable: true, match: true, wildcard: false, brace: false },
  includew: { readable: true, match: true, wildcard: true, brace: false },
  includeb: { readable: true, match: true, wildcard: false, brace: true },
  includea: { readable: true, match: true, wildcard: true, brace: true },
}

/** The words of include_check, and what each insists on. */
const checks: Readonly<Record<string, keyof Strictness>> = {
  read: 'readable',
  match: 'match',
  wildcard_match: 'wildcard',
  brace_match: 'brace',
}

const everything: Strictness = { readable: true, match: true, wildcard: true, brace: true }
const nothing: Strictness = { readable: false, match: false, wildcard: false, brace: false }

export const includeKeywords: ReadonlySet<string> = new Set(Object.keys(levels))

/** Files within files; and how often one may come again (each level of including twice doubles the work). */
const deepest = 64
const mostRepeats = 1000

/** Reads what a file says. */
type Lex = (source: Source) => Steps

/** Finds and reads the files that include lines name. */
export class Includes {
  readonly #files: ReadFile
  readonly #remarks: Remarks
  readonly #stack: string[] = []
  readonly #times = new Map<string, number>()
  /** Every file read, the main one first, in order, each once. */
  readonly read = new Map<string, Source>()
  /** What a plain include insists on. */
  #usual: Strictness

  /** `all`: a plain include insists on everything (keepalived's -e). */
  constructor(files: ReadFile, remarks: Remarks, all = false) {
    this.#files = files
    this.#remarks = remarks
    this.#usual = all ? everything : (levels['include'] ?? nothing)
  }

  /** The words of `include_check`: without a sign only they count from here on; + and - change what counts. */
  check(words: readonly string[]): void {
    const plain = words.some((word) => word in checks)
    let next = plain ? nothing : this.#usual
    for (const word of words) {
      const name = checks[word.replace(/^[+-]/, '')]
      if (name !== undefined) next = { ...next, [name]: !word.startsWith('-') }
    }
    this.#usual = next
  }

  /** Reads the main file and hands it to `lex`; false when it cannot be read. */
  *main(file: string, lex: Lex): Steps<boolean> {
    const place = { file, line: 1, column: 1 }
    return yield* this.#readInto(resolve(file), file, place, 'E001', lex)
  }

  *include(keyword: string, written: string, place: Place, from: string, lex: Lex): Steps {
    const strict = keyword === 'include' ? this.#usual : levels[keyword]
    const pattern = written.replace(/^"(.*)"$/, '$1').trim()
    if (pattern === '' || strict === undefined) {
      this.#remarks.add('E028', place, `${keyword} needs a file name or pattern`)
      return
    }
    const base = dirname(from)
    let matched = 0
    for (const alternative of expandBraces(pattern)) {
      const files = this.#matches(resolve(base, alternative))
      const wild = hasWildcard(alternative)
      if (files.length === 0 && (strict.brace && alternative !== pattern ? true : wild ? strict.wildcard : false)) {
        this.#remarks.add('E016', place, `no file matches ${alternative}`)
        matched++
      }
      for (const file of files) if (yield* this.#one(file, strict, place, lex)) matched++
    }
    if (matched > 0) return
    if (strict.match && !hasWildcard(pattern)) this.#remarks.add('E016', place, `no file matches ${pattern}`)
    else this.#remarks.add('W005', place, `no file matches ${pattern}`)
  }

  #matches(pattern: string): readonly string[] {
    return glob(pattern, {
      list: (path) => this.#files.list(path),
      exists: (path) => this.#files.stat(path) !== undefined,
    })
  }

  /** Includes one file; true when the pattern need not be complained about further. */
  *#one(file: string, strict: Strictness, place: Place, lex: Lex): Steps<boolean> {
    const kind = this.#files.stat(file)
    const skip =
      kind === undefined
        ? 'cannot be read'
        : kind.kind === 'directory'
          ? 'is a directory'
          : kind.kind === 'other'
            ? 'is not a regular file'
            : kind.executable
              ? 'is executable'
              : undefined
    if (skip !== undefined) {
      this.#remarks.add(strict.readable ? 'E009' : 'W006', place, `${file} ${skip} and is not included`)
      return true
    }
    if (this.#stack.includes(file)) {
      this.#remarks.add('E009', place, `${file} includes itself`)
      return true
    }
    const times = (this.#times.get(file) ?? 0) + 1
    this.#times.set(file, times)
    if (this.#stack.length >= deepest || times > mostRepeats) {
      this.#remarks.add(
        'E009',
        place,
        times > mostRepeats ? `${file} is included more than ${mostRepeats} times` : 'includes are nested too deep',
      )
      return true
    }
    yield* this.#readInto(file, file, place, strict.readable ? 'E009' : 'W006', lex)
    return true
  }

  *#readInto(file: string, shown: string, place: Place, code: 'E001' | 'E009' | 'W006', lex: Lex): Steps<boolean> {
    let source = this.read.get(file)
    if (source === undefined) {
      try {
        source = decode(shown, this.#files.read(file), this.#remarks)
      } catch (cause) {
        this.#remarks.add(code, place, `cannot read ${shown}: ${describeError(cause)}`)
        return false
      }
      this.read.set(file, source)
    }
    this.#stack.push(file)
    yield* lex(source)
    this.#stack.pop()
    return true
  }
}
