/** More remarks than this at once are not read by anybody. */
const most = 20

/** The first of a list of remarks, and how many more there are. */
export function shortened(remarks: readonly string[]): readonly string[] {
  if (remarks.length <= most) return remarks
  return [...remarks.slice(0, most), `… and ${remarks.length - most} more; \`ipvs-ctl check FILE\` shows all`]
}
