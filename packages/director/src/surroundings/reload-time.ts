/** The moment a `reload_time_file` asks for: wall clock, milliseconds since 1970; `daily` where no date was given. */
export interface ReloadTime {
  readonly at: number
  readonly daily: boolean
}

const form = /^(?:(?:(\d{2}|\d{4})-(\d{2})-(\d{2})) )?(\d{2}):(\d{2}):(\d{2})(Z?)$/

/**
 * `HH:MM:SS`, `YY-MM-DD HH:MM:SS` or `YYYY-MM-DD HH:MM:SS`, local time, or UTC with a `Z` behind. A time that is over
 * today means tomorrow's; a moment with a date that is over, and anything else, means none (undefined).
 */
export function parseReloadTime(text: string, now: number): ReloadTime | undefined {
  const match = form.exec(text.trim())
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, zone] = match
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  if (h > 23 || m > 59 || s > 60) return undefined
  const utc = zone === 'Z'
  if (year !== undefined) {
    const full = Number(year) + (year.length === 2 ? 2000 : 0)
    const [mon, d] = [Number(month) - 1, Number(day)]
    const at = moment(utc, full, mon, d, h, m, s)
    const read = new Date(at)
    const sameDay = utc
      ? read.getUTCMonth() === mon && read.getUTCDate() === d
      : read.getMonth() === mon && read.getDate() === d
    return !sameDay || at <= now ? undefined : { at, daily: false }
  }
  const today = new Date(now)
  const [y, mon, d] = utc
    ? [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()]
    : [today.getFullYear(), today.getMonth(), today.getDate()]
  const at = moment(utc, y, mon, d, h, m, s)
  // By the calendar, not by 24 hours: a day may have 23 or 25.
  return { at: at > now ? at : moment(utc, y, mon, d + 1, h, m, s), daily: true }
}

function moment(utc: boolean, year: number, month: number, day: number, h: number, m: number, s: number): number {
  return utc ? Date.UTC(year, month, day, h, m, s) : new Date(year, month, day, h, m, s).getTime()
}
