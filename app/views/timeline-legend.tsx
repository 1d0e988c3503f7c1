import type { LabelledLane } from '../../lib/views/timeline/rows';
import styles from './views.module.css';

/** What the colours mean, of the lanes that are there. */
export function Legend({ lanes }: { readonly lanes: readonly LabelledLane[] }) {
  const has = (role: 'encode' | 'link' | 'share') =>
    lanes.some(({ index }) => index.lane.role === role);
  return (
    <ul className={styles.legend}>
      <li>
        <span className={styles.swatch} data-role="prefill" />
        prefill
      </li>
      <li>
        <span className={styles.swatch} data-role="decode" />
        decode
      </li>
      {has('encode') && (
        <li>
          <span className={styles.swatch} data-role="encode" />
          images being encoded
        </li>
      )}
      {has('link') && (
        <li>
          <span className={styles.swatch} data-role="link" />
          KV over a link, from or to a store
        </li>
      )}
      <li>bars below: queue length; line: KV use</li>
      <li>boxes: prefill tokens + decodes</li>
      {has('share') && <li>shares of the SMs: decodes from below, prompts on top</li>}
    </ul>
  );
}
