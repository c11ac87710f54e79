/**
 * The same text. V8 keeps what was put together as its pieces, twice as large, until somebody looks into it: which is done
 * here, for texts that are kept and of which there are very many.
 */
export function inOnePiece(text: string): string {
  return Number.isNaN(text.charCodeAt(0)) ? '' : text
}

/** `1 reload`, `2 reloads`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
