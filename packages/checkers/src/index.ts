export * from './checker.ts'
export * from './checkers.ts'
export * from './identity.ts'
export type { Checker } from './define.ts'
