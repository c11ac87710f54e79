export * from './fake-clock.ts'
export * from './array-logger.ts'
