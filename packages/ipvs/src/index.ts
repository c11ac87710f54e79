export * from './table.ts'
export * from './client.ts'
