import type { ComposeResult } from '../../lib/attention/compose/result';
import { formatBytes, formatError, formatPercent, formatSeconds } from '../../lib/views/format';
import { ComposeHeads } from './compose-heads';
import { MassChart } from './mass-chart';
import { type Metric, MetricList } from './metric-list';
import styles from './results.module.css';

/** Times, error and distances of a composition, then its calls, mass, heads and cache. */
export function ComposeResultView({ result }: { readonly result: ComposeResult }) {
  const isSoftware = result.adapter?.isFallback === true && result.engine === 'webgpu';
  return (
    <>
      {isSoftware && (
        <p className={styles.note}>
          Software adapter: the numbers are right, the times say nothing about a GPU.
        </p>
      )}
      {result.engineNote !== undefined && <p className={styles.note}>{result.engineNote}</p>}
      <MetricList metrics={metricsOf(result)} />
      <CallsTable result={result} />
      {result.mass !== undefined && <MassChart mass={result.mass} />}
      <ComposeHeads result={result} />
      <CacheTable result={result} />
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Rounding errors as powers, real distances as they are. */
const distanceText = (value: number) => (value < 1e-3 ? formatError(value) : value.toPrecision(2));

function metricsOf(result: ComposeResult): readonly Metric[] {
  const { timing, error, calls, params } = result;
  const { at } = error;
  const timingTone =
    result.engine !== 'webgpu' || result.adapter?.isFallback === true
      ? ('muted' as const)
      : undefined;
  const clock = timing.clock === 'timestamp-query' ? 'GPU timestamps' : 'CPU clock';
  const isLatent = params.rule.type === 'latent';
  return [
    {
      name: isLatent ? 'absorbed call' : calls.length === 1 ? 'kernel call' : 'kernel calls',
      value: formatSeconds(timing.medianSeconds),
      note: `${clock}, ${calls.length === 1 || isLatent ? '' : `${calls.length} one after another, `}${timing.samplesSeconds.length} runs after ${timing.warmupRuns}`,
      tone: timingTone,
    },
    {
      name: isLatent ? 'projecting' : 'composing',
      value: formatSeconds(result.composeSeconds),
      note: 'in TypeScript, one thread',
      tone: 'muted',
    },
    ...(result.oneCallSeconds === undefined
      ? []
      : [
          {
            name: 'the same keys in one call',
            value: formatSeconds(result.oneCallSeconds),
            tone: timingTone,
          },
        ]),
    {
      name: 'max error against f64',
      value: formatError(error.maxAbs),
      note: `of the composition; relative ${formatError(error.maxRel)}; worst at batch ${at.batch}, head ${at.head}, query ${at.query}, dim ${at.dim}; ${error.checkedRows} of ${error.totalRows} rows; ${error.withinTolerance ? 'within' : 'ABOVE'} ${formatError(error.tolerance)}`,
      tone: error.withinTolerance ? 'good' : 'bad',
    },
    ...result.distances.map(({ name, perHead }) => ({
      name: `distance from ${name}`,
      value: distanceText(meanOf(perHead)),
      note: 'relative L2, mean over heads',
    })),
    ...(result.missingShare === undefined
      ? []
      : [
          {
            name: 'missing keys',
            value: formatPercent(result.missingShare),
            note: 'query-key pairs of full attention that no part sees',
          },
        ]),
    ...result.laws.map(({ name, maxAbs, tolerance, holds }) => ({
      name,
      value: formatError(maxAbs),
      note: `max difference; ${holds ? 'within' : 'ABOVE'} ${formatError(tolerance)}`,
      tone: holds ? ('good' as const) : ('bad' as const),
    })),
  ];
}

function CallsTable({ result: { calls, mass } }: { readonly result: ComposeResult }) {
  const hasRoof = calls.some(({ percentOfRoof }) => percentOfRoof !== undefined);
  const hasMass = mass !== undefined && calls.some(({ meanMass }) => meanMass !== undefined);
  return (
    <section className={styles.scroll} aria-label="calls">
      <table>
        <caption className={styles.note}>calls of the kernel</caption>
        <thead>
          <tr>
            {[
              'part',
              'time',
              ...(hasRoof ? ['of the roof'] : []),
              'density',
              ...(hasMass ? ['mean mass'] : []),
              'max error against f64',
            ].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {calls.map(({ name, medianSeconds, percentOfRoof, density, meanMass, error }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatSeconds(medianSeconds)}</td>
              {hasRoof && (
                <td>{percentOfRoof === undefined ? '' : `${percentOfRoof.toFixed(0)} %`}</td>
              )}
              <td>{formatPercent(density)}</td>
              {hasMass && <td>{meanMass === undefined ? '' : formatPercent(meanMass)}</td>}
              <td>{error === undefined ? 'is f64' : formatError(error.maxAbs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function CacheTable({ result: { cacheBytes, params } }: { readonly result: ComposeResult }) {
  const { keys } = params.shape;
  return (
    <section className={styles.scroll} aria-label="cache">
      <table>
        <caption className={styles.note}>
          KV cache of one layer at these sizes, 2 bytes per element
        </caption>
        <thead>
          <tr>
            {['heads', 'per token', `after ${keys} tokens`].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cacheBytes.map(({ name, bytesPerToken }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatBytes(bytesPerToken)}</td>
              <td>{formatBytes(bytesPerToken * keys)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
