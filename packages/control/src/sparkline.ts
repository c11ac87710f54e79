const blocks = '▁▂▃▄▅▆▇█'
const ascii = '_.-:=+*#'

/**
 * Values as a line of `width` characters, oldest left, the greatest as the highest. Zero is always the lowest, so that
 * a flat line of traffic does not look like none.
 */
export function sparkline(values: readonly number[], width: number, unicode: boolean): string {
  const steps = unicode ? blocks : ascii
  const shown = values.slice(-width)
  const top = Math.max(...shown, 0)
  const line = shown.map(
    (value) => steps[top <= 0 ? 0 : Math.round((Math.max(0, value) / top) * (steps.length - 1))] ?? '',
  )
  return line.join('').padStart(width)
}

/** Whether the terminal is told to be UTF-8 (POSIX: LC_ALL before LC_CTYPE before LANG). */
export function speaksUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '')
  return /utf-?8/i.test(locale ?? '')
}
