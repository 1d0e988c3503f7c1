'use client';

import type { Session } from '../../lib/run/session-types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { MapParams } from '../../lib/spec/kinds/views';
import type { CellOf } from '../../lib/spec/notebook';
import { KERNEL_BLOCKS } from '../../lib/views/map/block-words';
import type { ViewInput } from '../../lib/views/view-input';
import { provenanceLabel } from '../parts/provenance-line';
import { CacheMap } from './cache-map';
import type { MapOperand } from './map-operand';
import { MapView } from './map-view';
import styles from './views.module.css';

interface Props {
  readonly cell: CellOf<'map'>;
  readonly inputs: readonly ViewInput[];
  readonly session: Session;
  readonly onParamsChange: (params: MapParams) => void;
}

/** A map over a cache cell, or over one attention cell or two. */
export function MapCell(props: Props) {
  const { cell, inputs, session, onParamsChange } = props;
  const cache = inputs[0]?.result?.output;
  if (cache?.kind !== 'cache') return <AttentionMaps {...props} />;
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

/** A map over one attention cell, or over two of which one or the difference is on show. */
function AttentionMaps({ cell, inputs, session, onParamsChange }: Props) {
  const { params } = cell;
  const show = inputs.length < 2 ? 'first' : params.show;
  const operands = inputs.map((input) => operandOf(input, cell.id, params.mass, session));
  const wanted = { first: [0], second: [1], difference: [0, 1] }[show];
  const missing = wanted.filter((i) => operands[i] === undefined).map((i) => inputs[i]?.id ?? '');
  const [first, second] = wanted.map((i) => operands[i]);
  const shapes = operands.flatMap((operand) => operand?.attention.shape ?? []);
  const hasSelection = inputs.some(
    ({ result }) =>
      result?.output.kind === 'attention' && result.output.value.selection !== undefined,
  );
  const problem = first && second && shapeProblem(first, second);
  return (
    <>
      {inputs.length > 1 && (
        <div className={styles.tools}>
          <label>
            show{' '}
            <select
              value={show}
              onChange={(event) =>
                onParamsChange({ ...params, show: event.target.value as MapParams['show'] })
              }
            >
              <option value="first">first: {inputs[0]?.id}</option>
              <option value="second">second: {inputs[1]?.id}</option>
              <option value="difference">difference</option>
            </select>
          </label>
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
            key={`${first.attention.shape.queries} ${first.attention.shape.keys}`}
            params={params}
            first={first}
            second={second}
            heads={Math.min(...shapes.map(({ queryHeads }) => queryHeads))}
            batches={Math.min(...shapes.map(({ batch }) => batch))}
            onParamsChange={onParamsChange}
          />
        )
      )}
      <Hint hasSelection={hasSelection} isPair={inputs.length > 1} />
    </>
  );
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

function operandOf(
  { id, result }: ViewInput,
  mapId: string,
  mass: MapParams['mass'],
  session: Session,
): MapOperand | undefined {
  if (result?.output.kind !== 'attention') return undefined;
  const { params, engine, blockList } = result.output.value;
  const isUnselected = mass === 'all' && params.select.type !== 'none';
  return {
    id,
    attention: params,
    engine,
    blockList,
    // Other maps may read the same cell.
    source: session.mapSource(id).lane(mapId, { isUnselected }),
    resultKey: `${id} ${result.provenance.specHash}${isUnselected ? ' unselected' : ''}`,
    provenanceLabel: provenanceLabel(result.provenance),
    tokens: result.output.value.tokens,
    origin: originOf(params),
    words: KERNEL_BLOCKS,
  };
}

function originOf({ inputs, seed }: AttentionParams): string {
  if (inputs.source === 'file') return inputs.fileName;
  return inputs.source === 'model'
    ? `layer ${inputs.layer} on ${inputs.text}, seed ${seed}`
    : `seed ${seed}`;
}

function shapeProblem(first: MapOperand, second: MapOperand): string | undefined {
  const [a, b] = [first.attention.shape, second.attention.shape];
  if (a.queries === b.queries && a.keys === b.keys) return undefined;
  return `no difference: ${first.id} has ${a.queries} x ${a.keys} queries and keys, ${second.id} has ${b.queries} x ${b.keys} (expected the same)`;
}
