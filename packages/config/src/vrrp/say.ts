import type { Code } from '../codes.ts'

/** Adds a remark about a block: at the keyword that is named, else at its first line. */
export type Say = (code: Code, text: string, keyword?: string) => void
