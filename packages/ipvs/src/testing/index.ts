export { memoryIpvs, type MemoryIpvs, type MemoryIpvsOptions } from '../memory.ts'
