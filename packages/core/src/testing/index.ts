export * from './fake-clock.ts'
export * from './array-logger.ts'
export * from './work-per-turn.ts'
