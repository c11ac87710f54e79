export * from './fake-director.ts'
export * from './fixtures.ts'
