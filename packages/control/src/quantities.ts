import { formatDuration } from '@ipvs-director/core'

/** A count or rate in at most four characters: `0`, `0.4`, `999`, `1.2k`, `36k`, `1.7M`. */
export function amount(value: number): string {
  if (value < 0) return `-${amount(-value)}`
  if (value === 0) return '0'
  if (value < 9.95) return String(Number(value.toFixed(1)))
  const units = ['', 'k', 'M', 'G', 'T', 'P', 'E']
  let scaled = value
  let unit = 0
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  return `${scaled < 9.95 && unit > 0 ? scaled.toFixed(1).replace(/\.0$/, '') : scaled.toFixed(0)}${units[unit] ?? ''}`
}

/** A duration in milliseconds for a column: its greatest unit only, rounded down. Clock steps never show as negative. */
export function briefly(duration: number): string {
  const s = Math.floor(Math.max(0, duration) / 1000)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3600)} h`
  return `${Math.floor(s / 86_400)} d`
}

/** A duration in milliseconds for a sentence, whole seconds: `3 h 12 min`. */
export function lengthy(duration: number): string {
  const s = Math.floor(Math.max(0, duration) / 1000)
  return s === 0 ? '0 s' : formatDuration(s * 1000)
}

/** `3 s ago`, `just now`, or `never`. */
export function ago(moment: number | undefined, now: number): string {
  if (moment === undefined) return 'never'
  return now - moment < 1000 ? 'just now' : `${lengthy(now - moment)} ago`
}
