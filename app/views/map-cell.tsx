'use client';

import type { Session } from '../../lib/run/session-types';
import type { MapParams } from '../../lib/spec/kinds/views';
import type { CellOf } from '../../lib/spec/notebook';
import type { ViewInput } from '../../lib/views/view-input';
import { CacheMap } from './cache-map';
import { type MapOperand, operandOf, whyNoMap } from './map-operand';
import { MapView } from './map-view';
import styles from './views.module.css';

interface Props {
  readonly cell: CellOf<'map'>;
  readonly inputs: readonly ViewInput[];
  readonly session: Session;
  readonly onParamsChange: (params: MapParams) => void;
}

/** A map over a cache cell, or over one kernel's cell or two. */
export function MapCell(props: Props) {
  const { cell, inputs, session, onParamsChange } = props;
  const cache = inputs[0]?.result?.output;
  if (cache?.kind !== 'cache') return <KernelMaps {...props} />;
  return (
    <CacheMap
      cellId={inputs[0]?.id ?? ''}
      result={cache.value}
      provenance={inputs[0]?.result?.provenance}
      session={session}
      reader={cell.id}
      params={cell.params}
      onParamsChange={onParamsChange}
    />
  );
}

/** A map over one cell, or over two of which one or the difference is on show; of a decode cell, over two of its storages. */
function KernelMaps({ cell, inputs, session, onParamsChange }: Props) {
  const { params } = cell;
  const storages = storagesOf(inputs);
  const isPair = inputs.length > 1;
  const hasDifference = isPair || (storages.length > 0 && params.storage > 0);
  const show = !hasDifference || (!isPair && params.show === 'second') ? 'first' : params.show;
  const operand = (i: number, storage = params.storage) => {
    const input = inputs[i];
    return input && operandOf(input, cell.id, { ...params, storage }, session);
  };
  const operands = inputs.map((_, i) => operand(i));
  const wanted = isPair ? { first: [0], second: [1], difference: [0, 1] }[show] : [0];
  const missing = wanted.filter((i) => operands[i] === undefined).map((i) => inputs[i]?.id ?? '');
  const [first, other] = wanted.map((i) => operands[i]);
  const second = !isPair && show === 'difference' ? operand(0, 0) : other;
  const shown = [...operands, second].flatMap((each) => each ?? []);
  const hasSelection = inputs.some(
    ({ result }) =>
      result?.output.kind === 'attention' && result.output.value.selection !== undefined,
  );
  const refused = wanted.flatMap((i) => (inputs[i] && whyNoMap(inputs[i])) ?? []);
  const problem = refused[0] ?? (first && second && shapeProblem(first, second));
  return (
    <>
      {(hasDifference || storages.length > 0) && (
        <div className={styles.tools}>
          {hasDifference && (
            <label>
              show{' '}
              <select
                value={show}
                onChange={(event) =>
                  onParamsChange({ ...params, show: event.target.value as MapParams['show'] })
                }
              >
                <option value="first">
                  {isPair ? `first: ${inputs[0]?.id}` : 'the storage alone'}
                </option>
                {isPair && <option value="second">second: {inputs[1]?.id}</option>}
                <option value="difference">
                  {isPair ? 'difference' : 'what the storage changes'}
                </option>
              </select>
            </label>
          )}
          {storages.length > 0 && (
            <label>
              keys{' '}
              <select
                value={Math.min(params.storage, storages.length)}
                onChange={(event) =>
                  onParamsChange({ ...params, storage: Number(event.target.value) })
                }
              >
                {['as they were made', ...storages].map((name, storage) => (
                  <option key={name} value={storage}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      )}
      {missing.length > 0 ? (
        <p className={styles.note}>
          run {missing.join(' and ')} to see {missing.length > 1 ? 'their difference' : 'its map'}
        </p>
      ) : problem !== undefined ? (
        <p className={styles.note} role="alert">
          {problem}
        </p>
      ) : (
        first !== undefined && (
          <MapView
            key={`${first.queries} ${first.keys}`}
            params={params}
            first={first}
            second={second}
            heads={Math.min(...shown.map(({ heads }) => heads))}
            batches={Math.min(...shown.map(({ batches }) => batches))}
            onParamsChange={onParamsChange}
          />
        )
      )}
      {problem === undefined && <Notes operands={first === undefined ? [] : [first, second]} />}
      {inputs.some(({ result }) => result?.output.kind === 'attention') && (
        <Hint hasSelection={hasSelection} isPair={isPair} />
      )}
    </>
  );
}

/** Names that the storages of every decode cell among the inputs share by their number: the first one's. */
function storagesOf(inputs: readonly ViewInput[]): readonly string[] {
  const lists = inputs.flatMap(({ result }) =>
    result?.output.kind === 'decode' ? [result.output.value.params.storages] : [],
  );
  const most = Math.min(...lists.map(({ length }) => length));
  return (lists[0] ?? []).slice(0, most).map(({ name }) => name);
}

/** How to read maps that are not plain attention. */
function Notes({ operands }: { readonly operands: readonly (MapOperand | undefined)[] }) {
  const notes = new Set(operands.flatMap((operand) => operand?.note ?? []));
  return [...notes].map((note) => (
    <p key={note} className={styles.note}>
      {note}
    </p>
  ));
}

function Hint({
  hasSelection,
  isPair,
}: {
  readonly hasSelection: boolean;
  readonly isPair: boolean;
}) {
  if (isPair && hasSelection) {
    return (
      <p className={styles.note}>
        Where one input selects keys and the other is dense, the difference shows the mass that the
        selection leaves out (lined cells) and gives to the keys that it keeps.
      </p>
    );
  }
  if (isPair) return null;
  return (
    <p className={styles.note}>
      {hasSelection
        ? 'Keys were selected. To see the mass that is left out, show all mass with the visited blocks over it, or add the dense attention as a second input under Parameters and show the difference.'
        : 'A second attention as input, under Parameters, adds the difference of the two.'}
    </p>
  );
}

function shapeProblem(a: MapOperand, b: MapOperand): string | undefined {
  if (a.queries === b.queries && a.keys === b.keys) return undefined;
  return `no difference: ${a.id} has ${a.queries} x ${a.keys} queries and keys, ${b.id} has ${b.queries} x ${b.keys} (expected the same)`;
}
