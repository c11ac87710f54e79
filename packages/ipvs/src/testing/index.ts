export { memoryIpvs, type MemoryIpvs, type MemoryIpvsOptions } from '../memory.ts'
export { labNamespace, type LabNamespace } from './lab-namespace.ts'
