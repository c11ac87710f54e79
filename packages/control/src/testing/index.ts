export * from './fake-director.ts'
export * from './fixtures.ts'
export * from './fake-tools.ts'
