import type { Percentiles } from '../serving/types';
import { RESOURCES, type Resource, type Utilisation } from '../serving/what-if/utilisation';
import type { WhatIfResult } from '../serving/what-if/what-if-run';
import type { ServeParams } from '../spec/kinds/serve';
import { formatCount, formatPercent, formatSeconds } from './format';

export interface WhatIfRow {
  readonly name: string;
  readonly first: string;
  readonly second: string;
  /** NaN where the first is 0. */
  readonly ratio: number;
}

export const RESOURCE_LABELS: Readonly<Record<Resource, string>> = {
  compute: 'compute',
  bandwidth: 'memory bandwidth',
  kvCapacity: 'KV capacity',
  link: 'links and stores',
  encoder: 'encoders',
};

export const shownResources = (of: Pick<Utilisation, 'hasLink' | 'hasEncoder'>) =>
  RESOURCES.filter((name) =>
    name === 'link' ? of.hasLink : name === 'encoder' ? of.hasEncoder : true,
  );

/** A run as it is beside the run under changed conditions. */
export function whatIfRows(
  first: WhatIfResult,
  second: WhatIfResult,
  slo: ServeParams['slo'],
): readonly WhatIfRow[] {
  const row = (
    name: string,
    of: (result: WhatIfResult) => number,
    print: (value: number) => string,
  ): WhatIfRow => {
    const [a, b] = [of(first), of(second)];
    return { name, first: print(a), second: print(b), ratio: a === 0 ? Number.NaN : b / a };
  };
  const latency = (name: string, pick: (metrics: WhatIfResult['metrics']) => Percentiles) => [
    row(`${name} p50`, ({ metrics }) => pick(metrics).p50, formatSeconds),
    row(`${name} p99`, ({ metrics }) => pick(metrics).p99, formatSeconds),
  ];
  return [
    ...latency('TTFT', (metrics) => metrics.ttftSeconds),
    ...latency('TPOT', (metrics) => metrics.tpotSeconds),
    ...latency('end to end', (metrics) => metrics.e2eSeconds),
    row('output tok/s', ({ metrics }) => metrics.outputTokensPerSecond, formatCount),
    row(
      `SLO attainment (${formatSeconds(slo.ttftSeconds)}, ${formatSeconds(slo.tpotSeconds)})`,
      ({ metrics }) => metrics.sloAttainment,
      formatPercent,
    ),
    row('restarts', ({ metrics }) => metrics.restarts, formatCount),
    ...shownResources(first.utilisation).map((resource) =>
      row(
        `${RESOURCE_LABELS[resource]} used, mean`,
        ({ utilisation }) => utilisation.mean[resource],
        formatPercent,
      ),
    ),
  ];
}
