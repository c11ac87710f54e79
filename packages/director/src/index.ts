export { main } from './main.ts'
export { createDirector, type Director, type DirectorOptions } from './director.ts'
export { startVrrpProcess, type VrrpProcess, type VrrpProcessOptions, type VrrpProcessStatus } from './vrrp-process.ts'
export type { VrrpCommand, VrrpWork } from './vrrp-messages.ts'
