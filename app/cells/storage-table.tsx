import type { StorageResult } from '../../lib/attention/decode/result';
import { formatBytes, formatError, formatPercent, formatSeconds } from '../../lib/views/format';
import styles from './decode.module.css';
import { ScrollRegion } from './scroll-region';

type Column = readonly [
  name: string,
  cell: (storage: StorageResult) => string | number,
  hint?: string,
];

const ratio = (value: number) => value.toPrecision(3);
const decibels = (value: number) => (value === Infinity ? 'exact' : `${value.toFixed(1)} dB`);
const count = (value: number | undefined) => value ?? 'none';

/** Small errors as powers, others as they are. */
const errorText = (value: number) =>
  Math.abs(value) < 1e-3 || Number.isNaN(value)
    ? formatError(value)
    : String(Number(value.toPrecision(2)));

const COLUMNS: readonly Column[] = [
  ['bytes per token', ({ bytesPerToken }) => formatBytes(bytesPerToken), 'K and V, one layer'],
  ['output error', ({ error }) => errorText(error.relativeL2), 'relative L2'],
  ['median time', ({ timing }) => formatSeconds(timing.medianSeconds)],
  ['of f32', ({ ratioToF32 }) => ratio(ratioToF32), 'bytes'],
  ['of f16', ({ ratioToF16 }) => ratio(ratioToF16), 'bytes'],
  ['bits, K', ({ key }) => ratio(key.bitsPerElement), 'per element'],
  ['bits, V', ({ value }) => ratio(value.bitsPerElement), 'per element'],
  ['max abs', ({ error }) => errorText(error.maxAbs), 'of the output'],
  ['LSE error', ({ error }) => errorText(error.lseMaxAbs)],
  ['SNR of K', ({ keyError }) => decibels(keyError.signalToNoiseDecibels)],
  ['SNR of V', ({ valueError }) => decibels(valueError.signalToNoiseDecibels)],
  [
    'kernel error',
    ({ kernelError }) => (kernelError === undefined ? 'none' : formatError(kernelError.maxAbs)),
    'against f64 over what is stored',
  ],
  ['read', ({ readGigabytesPerSecond }) => `${ratio(readGigabytesPerSecond)} GB/s`],
  [
    'of copy roof',
    ({ percentOfCopyRoof }) =>
      percentOfCopyRoof === undefined ? 'none' : `${percentOfCopyRoof.toFixed(0)} %`,
  ],
  [
    'of roof',
    ({ roofPlace }) =>
      roofPlace === undefined ? 'none' : `${roofPlace.percent.toFixed(0)} %, ${roofPlace.bound}`,
    'lesser of compute and bandwidth',
  ],
  ['splits', ({ splits }) => count(splits)],
  ['submits', ({ submits }) => count(submits)],
];

const DELTA_COLUMNS: readonly Column[] = [
  ['zeros, K', ({ keyZeroShare }) => shareText(keyZeroShare), 'of differences'],
  ['zeros, V', ({ valueZeroShare }) => shareText(valueZeroShare), 'of differences'],
];

const shareText = (share: number | undefined) =>
  share === undefined ? 'none' : formatPercent(share);

/** Every storage with what it costs and what it does to the output. */
export function StorageTable({ storages }: { readonly storages: readonly StorageResult[] }) {
  const hasDeltas = storages.some(
    ({ keyZeroShare, valueZeroShare }) => (keyZeroShare ?? valueZeroShare) !== undefined,
  );
  const columns = hasDeltas
    ? [...COLUMNS.slice(0, 2), ...DELTA_COLUMNS, ...COLUMNS.slice(2)]
    : COLUMNS;
  return (
    <ScrollRegion className={styles.scroll} label="storages">
      <table>
        <caption>errors are against unquantised attention in f64</caption>
        <thead>
          <tr>
            <th scope="col">storage</th>
            {columns.map(([name, , hint]) => (
              <th key={name} scope="col">
                {name}
                {hint !== undefined && <small> {hint}</small>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {storages.map((storage) => (
            <tr key={storage.name}>
              <th scope="row">{storage.name}</th>
              {columns.map(([name, cell]) => (
                <td
                  key={name}
                  data-tone={
                    name === 'kernel error' && storage.kernelError !== undefined
                      ? storage.kernelError.withinTolerance
                        ? 'good'
                        : 'bad'
                      : undefined
                  }
                >
                  {cell(storage)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

/** Where the bytes are, and the error head by head. */
export function StorageDetails({ storages }: { readonly storages: readonly StorageResult[] }) {
  const hasPlans = storages.some(({ plan }) => plan !== undefined);
  const parts = ['storage', 'tensor', 'codes', 'scales', 'zeros', 'total'];
  const heads = storages[0]?.error.headRelativeL2 ?? [];
  return (
    <>
      <details className={styles.details}>
        <summary>bytes of codes, scales and zeros</summary>
        <div className={styles.scroll}>
          <table>
            <caption className="visually-hidden">bytes by tensor</caption>
            <thead>
              <tr>
                {[...parts, ...(hasPlans ? ['plan'] : [])].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {storages.flatMap(({ name, key, value, plan }) =>
                [['K', key] as const, ['V', value] as const].map(([tensor, bytes]) => (
                  <tr key={`${name} ${tensor}`}>
                    <th scope="row">{name}</th>
                    <td>{tensor}</td>
                    {(['codes', 'scales', 'zeros', 'total'] as const).map((part) => (
                      <td key={part}>{formatBytes(bytes[part])}</td>
                    ))}
                    {hasPlans && <td>{plan}</td>}
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </div>
      </details>
      <details className={styles.details}>
        <summary>output error by head</summary>
        <div className={styles.scroll}>
          <table>
            <caption className="visually-hidden">relative error of the output</caption>
            <thead>
              <tr>
                <th scope="col">head</th>
                {storages.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {heads.map((_, head) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a head is its index
                <tr key={head}>
                  <th scope="row">{head}</th>
                  {storages.map(({ name, error }) => (
                    <td key={name}>{errorText(error.headRelativeL2[head] ?? Number.NaN)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
