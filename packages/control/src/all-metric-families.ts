import { processFamilies } from './metric-families-process.ts'
import { vrrpFamilies } from './metric-families-vrrp.ts'
import { metricFamilies, type MetricFamily } from './metric-families.ts'

/** Everything that is exported, in the order of the output. */
export const allMetricFamilies: readonly MetricFamily[] = [...processFamilies, ...metricFamilies, ...vrrpFamilies]
