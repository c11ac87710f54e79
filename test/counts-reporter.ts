import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node'

/** What one vitest run came to; written for test/run.ts, which adds the runs up. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  /** By the tests' full names, with the reason each gave. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

/** The environment variable that names the file to write. */
export const countsVariable = 'TEST_COUNTS_FILE'

/** A file that could not be loaded, or an error outside of any test, counts as a failed test. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env[countsVariable]
    if (file === undefined) return
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const brokenFiles = modules.filter((module) => module.errors().length > 0)
    const brokenSuites = modules.flatMap((module) =>
      [...module.children.allSuites()].filter((suite) => suite.errors().length > 0),
    )
    const counts: Counts = {
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed:
        tests.filter((test) => test.result().state === 'failed').length +
        brokenFiles.length +
        brokenSuites.length +
        errors.length,
      skipped: tests.flatMap((test) => {
        const result = test.result()
        if (result.state !== 'skipped') return []
        return [{ name: `${test.module.relativeModuleId}: ${test.fullName}`, reason: result.note ?? unasked(test) }]
      }),
    }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(counts))
  }
}

function unasked(test: TestCase): string {
  const groups: (TestModule | TestSuite)[] = [test.module]
  for (let group = test.parent; group.type === 'suite'; group = group.parent) groups.push(group)
  return groups.some((group) => group.errors().length > 0) ? 'what it needs could not be set up' : 'no reason given'
}
