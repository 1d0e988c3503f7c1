import type { ModelCellResult } from '../../lib/evaluate/model-result';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { HeadProbes } from './head-probes';
import { type Metric, MetricList } from './metric-list';
import styles from './model-result.module.css';
import resultStyles from './results.module.css';

/** From here on a token counts as a surprise: one in 20. */
const SURPRISE_NATS = Math.log(20);

interface Props {
  readonly result: ModelCellResult;
  /** Shows the attention of a layer; gives the sentence why not, or undefined. */
  readonly onAttention: (layer: number) => string | undefined;
}

/** A text as its tokens, each shaded by how unexpected it was, and what the model wrote. */
export function ModelResultView({ result, onAttention }: Props) {
  const { labels, promptTokens, surprisalNats, nextTokens, generatedText, heads, notes } = result;
  return (
    <>
      <MetricList metrics={metricsOf(result)} />
      <p className={styles.answer}>
        <span className={styles.caption}>written:</span>{' '}
        <output>{generatedText || '(nothing)'}</output>
      </p>
      <p className={resultStyles.note} id="surprise-key">
        Shade: how unexpected a token was to the model; underlined above{' '}
        {formatCount(SURPRISE_NATS)} nats (p below 5 %). Written tokens are boxed.
      </p>
      <p className={styles.tokens} aria-describedby="surprise-key">
        {labels.map((label, index) => {
          const nats = surprisalNats[index] ?? Number.NaN;
          const share = Number.isNaN(nats) ? 0 : Math.min(1, nats / 8);
          return (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place in the text
              key={index}
              title={Number.isNaN(nats) ? `${index}` : `${index}: ${nats.toFixed(2)} nats`}
              data-written={index >= promptTokens || undefined}
              data-surprise={nats > SURPRISE_NATS || undefined}
              style={{ '--share': share.toFixed(3) } as React.CSSProperties}
            >
              {label.trim() === '' ? JSON.stringify(label).slice(1, -1) : label}
            </span>
          );
        })}
      </p>
      <details className={resultStyles.details}>
        <summary>Tokens as a table, and what was likely next</summary>
        <table>
          <caption>Likeliest continuations of the prompt</caption>
          <thead>
            <tr>
              <th scope="col">token</th>
              <th scope="col">probability</th>
            </tr>
          </thead>
          <tbody>
            {nextTokens.map(({ label, probability }) => (
              <tr key={label}>
                <td>{label}</td>
                <td>{formatPercent(probability)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <table>
          <caption>Tokens</caption>
          <thead>
            <tr>
              <th scope="col">place</th>
              <th scope="col">token</th>
              <th scope="col">-ln p, nats</th>
            </tr>
          </thead>
          <tbody>
            {labels.map((label, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place in the text
              <tr key={index}>
                <td>{index}</td>
                <td>{label}</td>
                <td>
                  {Number.isNaN(surprisalNats[index]) ? '' : surprisalNats[index]?.toFixed(3)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      {heads.length > 0 && <HeadProbes heads={heads} onAttention={onAttention} />}
      {notes.map((note) => (
        <p key={note} className={resultStyles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

function metricsOf(result: ModelCellResult): readonly Metric[] {
  const { config, timing, promptTokens, tokens } = result;
  const decoded = tokens.length - promptTokens - 1;
  return [
    { name: 'model', value: result.name, note: config.architecture },
    {
      name: 'parameters',
      value: formatCount(result.parameters),
      note: `${formatBytes(result.weightsBytes)} in f32`,
    },
    {
      name: 'layers x heads',
      value: `${config.layers} x ${config.heads}`,
      note: `${config.kvHeads} KV heads of ${config.headSize}`,
    },
    {
      name: 'cache per token',
      value: formatBytes(result.kvBytesPerToken),
      note: 'keys and values of all layers, f32',
    },
    {
      name: 'prefill',
      value: formatSeconds(timing.prefillSeconds),
      note: `${promptTokens} tokens, ${formatCount(promptTokens / timing.prefillSeconds)} tokens/s`,
    },
    {
      name: 'decode',
      value: decoded > 0 ? `${formatCount(decoded / timing.decodeSeconds)} tokens/s` : 'none',
      note: decoded > 0 ? `${decoded} steps` : 'fewer than two tokens were written',
    },
  ];
}
