/** The program's version; the build puts the package's in its place. */
declare const IPVS_DIRECTOR_VERSION: string | undefined

export const version: string = typeof IPVS_DIRECTOR_VERSION === 'string' ? IPVS_DIRECTOR_VERSION : '0.1.0'
