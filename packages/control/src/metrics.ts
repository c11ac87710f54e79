import { allMetricFamilies } from './all-metric-families.ts'
import type { MetricFamily, Sample } from './metric-families.ts'
import type { Status } from './model.ts'

/** OpenMetrics 1.0, or the text format of Prometheus 0.0.4 for older collectors. */
export type MetricsFormat = 'openmetrics' | 'prometheus'

export const metricsContentTypes: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
}

/** What an Accept header asks for. */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'prometheus'
}

/** Samples per piece: well under a millisecond of work. */
const samplesPerPiece = 250

/**
 * The status as metrics, in pieces of bounded work, so that 50,000 servers keep no one waiting. Both formats want the
 * samples of a family together, so the servers are walked once per family.
 */
export function* renderMetrics(status: Status, format: MetricsFormat): Generator<string> {
  for (const family of allMetricFamilies) {
    let piece = heading(family, format)
    let waiting = 0
    let any = false
    for (const sample of family.samples(status)) {
      if (sample !== undefined) {
        piece += render(family, sample)
        any = true
      }
      if (++waiting === samplesPerPiece) {
        if (any) yield piece
        if (any) piece = ''
        else yield ''
        waiting = 0
      }
    }
    if (any) yield piece
  }
  if (format === 'openmetrics') yield '# EOF\n'
}

/** OpenMetrics names a counter's family without `_total`, and has units; Prometheus's format has the sample's name. */
function heading({ name, type, unit, help }: MetricFamily, format: MetricsFormat): string {
  if (format === 'prometheus') {
    const sampleName = type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name
    return `# HELP ${sampleName} ${help}\n# TYPE ${sampleName} ${type === 'info' ? 'gauge' : type}\n`
  }
  return `# TYPE ${name} ${type}\n${unit === undefined ? '' : `# UNIT ${name} ${unit}\n`}# HELP ${name} ${help}\n`
}

function render({ name, type }: MetricFamily, { labels, value, suffix: own }: Sample): string {
  const suffix = own ?? (type === 'counter' ? '_total' : type === 'info' ? '_info' : '')
  return `${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${value}\n`
}
