import styles from './views.module.css';

export function Legend() {
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
      <li>
        <span className={styles.swatch} data-role="link" />
        KV transfer
      </li>
      <li>bars below: queue length; line: KV use</li>
      <li>boxes: prefill tokens + decodes</li>
    </ul>
  );
}
