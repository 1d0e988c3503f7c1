import { formatBytes } from '../../lib/transformer/load/memory';
import type { OpenedModel } from '../../lib/transformer/load/open-model';
import styles from './load-model.module.css';

interface Props {
  readonly label: string;
  readonly opened: OpenedModel;
}

/** What a model is and takes, before its weights are read. */
export function ModelFacts({ label, opened }: Props) {
  const { config, dtypes, fileNames, memory, notes, storedBytes, tensorCount } = opened;
  const held = Object.entries(dtypes).map(([dtype, count]) => `${count} ${dtype}`);
  const rows: readonly (readonly [string, string])[] = [
    ['model', `${label} (${config.architecture})`],
    [
      'shape',
      `${config.layers} layers, width ${config.hiddenSize}, ${config.heads} query heads, ${config.kvHeads} KV heads of ${config.headSize}`,
    ],
    ['vocabulary', config.vocabularySize.toLocaleString('en')],
    ['context', `${config.maxPositions.toLocaleString('en')} tokens`],
    [
      fileNames.length === 1 ? 'file' : `${fileNames.length} files`,
      `${formatBytes(storedBytes)}, ${tensorCount} tensors checked (${held.join(', ')})`,
    ],
    [
      'memory',
      `${formatBytes(memory.weightsBytes)} for ${memory.parameters.toLocaleString('en')} weights as f32`,
    ],
    [
      'KV cache',
      `${formatBytes(memory.kvBytesPerToken)} per token, ${formatBytes(memory.fullContextBytes - memory.weightsBytes)} for a full context`,
    ],
  ];
  const deviceBytes = deviceMemoryBytes();
  const isTooLarge = deviceBytes !== undefined && memory.weightsBytes > deviceBytes;
  return (
    <>
      <dl className={styles.facts}>
        {rows.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      {isTooLarge && (
        <p className={styles.note}>
          the browser puts this device's memory at about {formatBytes(deviceBytes)}: the weights
          will hardly fit
        </p>
      )}
    </>
  );
}

/** As browsers tell it where they do: rounded, and 8 GiB at most, which therefore says nothing. */
function deviceMemoryBytes(): number | undefined {
  const { deviceMemory } = navigator as { readonly deviceMemory?: number };
  return deviceMemory === undefined || deviceMemory >= 8 ? undefined : deviceMemory * 2 ** 30;
}
