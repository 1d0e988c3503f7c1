import type { Provenance } from '../../lib/run/types';
import { formatSeconds } from '../../lib/views/format';
import styles from './provenance-line.module.css';

/** Where a number comes from, short; the rest behind a disclosure. */
export function provenanceLabel(provenance: Provenance): string {
  const { adapter, engine } = provenance;
  const device =
    engine === 'simulator'
      ? `simulated, ${provenance.costModel ?? 'workload'}`
      : engine === 'cpu'
        ? provenance.precision === undefined
          ? 'made in this page'
          : 'CPU reference'
        : engine === 'wasm'
          ? 'WebAssembly on the CPU'
          : engine === 'reference'
            ? 'plain TypeScript on the CPU'
            : `WebGPU on ${adapter?.description || adapter?.architecture || adapter?.vendor || 'an unnamed adapter'}`;
  return [
    device,
    adapter?.isFallback === true && engine === 'webgpu' ? 'software adapter' : undefined,
    provenance.seed === undefined ? undefined : `seed ${provenance.seed}`,
    `Headroom ${provenance.appVersion}`,
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}

export function ProvenanceLine({ provenance }: { readonly provenance: Provenance }) {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['computed', provenance.computedAt],
    ['wall time', formatSeconds(provenance.wallSeconds)],
    ['clock', provenance.clock],
    ['precision', provenance.precision],
    ['vendor', provenance.adapter?.vendor],
    ['architecture', provenance.adapter?.architecture],
    ['cost model', provenance.costModel],
    ['kind version', String(provenance.kindVersion)],
    ['spec hash', provenance.specHash],
  ];
  return (
    <details className={styles.line}>
      <summary>
        {provenance.recorded && (
          <strong className={styles.recorded}>
            recorded on {provenance.computedAt.slice(0, 10)}, not run here
          </strong>
        )}
        <span>{provenanceLabel(provenance)}</span>
      </summary>
      <dl>
        {rows.map(([name, value]) =>
          value === undefined || value === '' ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </details>
  );
}
