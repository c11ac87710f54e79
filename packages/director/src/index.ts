export { main } from './main.ts'
export { createDirector, type Director, type DirectorOptions } from './director.ts'
