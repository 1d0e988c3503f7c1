import type { SpeculateResult } from '../../lib/speculate/cell-result';
import styles from './recall-gap.module.css';
import { ScrollRegion } from './scroll-region';

/** Tokens of the prompt that are shown before the written ones. */
const PROMPT_TOKENS = 24;

type Mark = {
  readonly key: string;
  readonly by: 'prompt' | 'draft' | 'model' | 'rejected';
  readonly label: string;
  readonly title: string;
};

/** Every token in the order it came about: accepted guesses, rejected ones, and the model's own. */
export function tokenMarks(result: SpeculateResult): readonly Mark[] {
  const { labels, rounds } = result;
  const marks: Mark[] = [];
  const own = (at: number) => {
    const label = labels[at];
    if (label !== undefined) {
      marks.push({ key: `${at}`, by: 'model', label, title: `${at}: the model's own` });
    }
  };
  own(0);
  for (const { at, accepted, emitted, guessLabels } of rounds) {
    for (const [i, label] of guessLabels.entries()) {
      if (i < Math.min(accepted, emitted)) {
        marks.push({ key: `${at + i}`, by: 'draft', label, title: `${at + i}: accepted` });
      } else if (i >= accepted) {
        const title = `guessed for ${at + i}, rejected`;
        marks.push({ key: `${at}-${i}`, by: 'rejected', label, title });
      }
    }
    if (emitted > accepted) own(at + accepted);
  }
  return marks;
}

const shown = (label: string) => (label.trim() === '' ? JSON.stringify(label).slice(1, -1) : label);

export function SpeculateTokens(props: {
  readonly result: SpeculateResult;
  readonly hasRejected: boolean;
}) {
  const { result, hasRejected } = props;
  const { promptLabels } = result;
  const first = Math.max(0, promptLabels.length - PROMPT_TOKENS);
  return (
    <ScrollRegion className={styles.tokens} label="tokens">
      {promptLabels.slice(first).map((label, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place in the text
        <span key={`prompt ${i}`} data-by="prompt">
          {shown(label)}
        </span>
      ))}
      {tokenMarks(result).map(({ key, by, label, title }) =>
        by === 'rejected' ? (
          hasRejected && (
            <s key={key} title={title}>
              {shown(label)}
            </s>
          )
        ) : (
          <span key={key} data-by={by} title={title}>
            {shown(label)}
          </span>
        ),
      )}
    </ScrollRegion>
  );
}

/** Round by round, for those who do not see the marks. */
export function SpeculateRounds({ result }: { readonly result: SpeculateResult }) {
  const { rounds, labels } = result;
  return (
    <details className={styles.details}>
      <summary>Rounds as a table</summary>
      <div className={styles.scroll}>
        <table>
          <caption className="visually-hidden">rounds</caption>
          <thead>
            <tr>
              {['from token', 'guessed', 'accepted', 'written', 'drafter calls'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rounds.map(({ at, guessLabels, accepted, emitted, drafterCalls }) => (
              <tr key={at}>
                <th scope="row">{at}</th>
                <td>{guessLabels.map(shown).join(' ') || '(nothing)'}</td>
                <td>{accepted}</td>
                <td>
                  {labels
                    .slice(at, at + emitted)
                    .map(shown)
                    .join(' ')}
                </td>
                <td>{drafterCalls}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
