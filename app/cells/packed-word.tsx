import type { StorageResult } from '../../lib/attention/decode/result';
import styles from './decode.module.css';

/** One word of 32 bits taken apart into codes, and what they stand for. */
export function PackedWordView({ storages }: { readonly storages: readonly StorageResult[] }) {
  const packed = storages.flatMap(({ name, word }) => (word === undefined ? [] : [{ name, word }]));
  if (packed.length === 0) return null;
  return (
    <details className={styles.details}>
      <summary>the first packed word</summary>
      {packed.map(({ name, word }) => {
        const digits = word.word.toString(2).padStart(32, '0');
        const start = (field: number) => 32 - (field + 1) * word.bits;
        return (
          <div key={name} className={styles.scroll}>
            <table>
              <caption>
                {name}: token 0 of head 0 of the {word.tensor}s,{' '}
                <code>0x{word.word.toString(16).padStart(8, '0')}</code>; the code of channel 0 lies
                in the lowest bits, on the right
              </caption>
              <thead>
                <tr>
                  <th scope="col">channel</th>
                  {word.fields.map((_, i) => {
                    const channel = word.fields.length - 1 - i;
                    return (
                      <th key={channel} scope="col">
                        {channel}
                      </th>
                    );
                  })}
                </tr>
              </thead>
              <tbody>
                {(
                  [
                    [
                      'bits',
                      (_, channel) => digits.slice(start(channel), start(channel) + word.bits),
                    ],
                    ['code', ({ code }) => code],
                    ['scale', ({ scale }) => scale.toPrecision(3)],
                    ['zero', ({ zero }) => zero.toPrecision(3)],
                    ['code x scale + zero', ({ value }) => value.toPrecision(3)],
                    ['original', ({ original }) => original.toPrecision(3)],
                  ] as readonly Row[]
                ).map(([label, cell]) => (
                  <tr key={label}>
                    <th scope="row">{label}</th>
                    {word.fields.map((_, i) => {
                      const channel = word.fields.length - 1 - i;
                      const field = word.fields[channel];
                      return (
                        <td key={channel} data-bits={label === 'bits' || undefined}>
                          {field === undefined ? '' : cell(field, channel)}
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        );
      })}
    </details>
  );
}

type Field = NonNullable<StorageResult['word']>['fields'][number];
type Row = readonly [label: string, cell: (field: Field, channel: number) => string | number];
