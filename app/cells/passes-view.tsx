'use client';

import {
  kernelBytes,
  PASS_SCHEMES,
  type PassTensor,
  passTensorBytes,
  schemeBytes,
  stepBytes,
} from '../../lib/attention/passes';
import type { AttentionResult } from '../../lib/attention/types';
import { headsOfList } from '../../lib/gpu/plans';
import { formatBytes } from '../../lib/views/format';
import styles from './passes-view.module.css';
import { ScrollRegion } from './scroll-region';

/** What softmax in three, two and one passes would read and write for this shape, beside the kernel. */
export function PassesView({ result }: { readonly result: AttentionResult }) {
  const { params, engine, blockList, timing } = result;
  const { shape } = params;
  const bytes = passTensorBytes(shape);
  const most = Math.max(...PASS_SCHEMES.map((scheme) => schemeBytes(scheme, shape)));
  const [first, last] = headsOfList(shape, engine, 0);
  const kernel = kernelBytes(shape, blockList, last - first + 1);
  const intensity = (moved: number) => (timing.flops / moved).toPrecision(3);
  return (
    <details className={styles.passes}>
      <summary>passes over memory</summary>
      <ScrollRegion label="passes" className={styles.scroll}>
        <table>
          <caption>
            f32 bytes when each tensor moves once per step, the least that each way needs; S and P
            are {shape.queries} x {shape.keys} for every head, masked or not. Intensity is the
            useful FLOP of this cell over the bytes.
          </caption>
          <thead>
            <tr>
              {['step', 'reads', 'writes', 'bytes', 'FLOP/byte'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          {PASS_SCHEMES.map((scheme) => {
            const total = schemeBytes(scheme, shape);
            return (
              <tbody key={scheme.id}>
                <tr>
                  <th scope="rowgroup" colSpan={3}>
                    {scheme.title}
                  </th>
                  <td>{formatBytes(total)}</td>
                  <td>{intensity(total)}</td>
                </tr>
                {scheme.steps.map((step) => (
                  <tr key={step.name}>
                    <th scope="row">{step.name}</th>
                    <td>
                      <Bars tensors={step.reads} bytes={bytes} most={most} isWrite={false} />
                    </td>
                    <td>
                      <Bars tensors={step.writes} bytes={bytes} most={most} isWrite />
                    </td>
                    <td>{formatBytes(stepBytes(step, shape))}</td>
                    <td />
                  </tr>
                ))}
              </tbody>
            );
          })}
          {engine !== 'cpu' && (
            <tbody>
              <tr>
                <th scope="row" colSpan={3}>
                  this kernel: one pass, K and V once per visited block, before caches
                </th>
                <td>{formatBytes(kernel)}</td>
                <td>{intensity(kernel)}</td>
              </tr>
            </tbody>
          )}
        </table>
      </ScrollRegion>
    </details>
  );
}

/** Tensors as boxes whose length is their share of the bytes of the widest way. */
function Bars({
  tensors,
  bytes,
  most,
  isWrite,
}: {
  readonly tensors: readonly PassTensor[];
  readonly bytes: Readonly<Record<PassTensor, number>>;
  readonly most: number;
  readonly isWrite: boolean;
}) {
  if (tensors.length === 0) return 'nothing';
  return tensors.map((tensor) => (
    <span key={tensor} className={styles.tensor} data-write={isWrite}>
      {tensor} {formatBytes(bytes[tensor])}
      <span
        className={styles.bar}
        aria-hidden="true"
        style={{ width: `${(100 * bytes[tensor]) / most}%` }}
      />
    </span>
  ));
}
