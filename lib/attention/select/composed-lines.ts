import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { besideLines, forcedLines } from './composed-forced';
import { rowScores } from './composed-rows';
import { softmaxInPlace } from './dot';
import type { BlockGrid } from './grid';
import { coverWithLines } from './line-cover';
import { selectLines } from './lines';
import { makeQueryJoin } from './query-join';
import { addTopK, addTopP } from './selectors';
import type { HeadTensors, Lines, Selection } from './types';

/** Selectors of single columns and diagonals, the same for every query. */
export type LineSelector = Extract<
  ComposedSelection['selector'],
  { type: 'line-top-k' | 'line-top-p' | 'line-cover' }
>;

/** What the window of last queries gives to each key: scores, or probabilities rounded to f32. */
interface WindowValues {
  readonly rows: number;
  /** Values of row r, query `queries - rows + r`, into out[0 .. end); returns end. */
  readonly read: (row: number, out: Float64Array) => number;
  /** Of the rows read so far. */
  readonly flops: () => number;
}

function windowValues(head: HeadTensors, grid: BlockGrid, parts: ComposedSelection): WindowValues {
  const { score, rowsOf } = rowScores(head, grid, parts, undefined);
  const [first, end] = rowsOf(0);
  let spent = 0;
  return {
    rows: end - first,
    read: (row, out) => {
      const { count, flops } = score(first + row, out);
      spent += flops;
      if (parts.reducer.of === 'probabilities') {
        softmaxInPlace(out, count);
        for (let k = 0; k < count; k++) out[k] = Math.fround(out[k] as number);
      }
      return count;
    },
    flops: () => spent,
  };
}

/** One weight per column and per diagonal: the values on it, joined over the window's queries. */
function lineWeights(
  head: HeadTensors,
  window: WindowValues,
  reducer: ComposedSelection['reducer'],
): { readonly columns: Float64Array; readonly diagonals: Float64Array } {
  const { keys } = head;
  const values = new Float64Array(keys);
  const weights = { columns: new Float64Array(keys), diagonals: new Float64Array(keys) };
  const columns = makeQueryJoin(keys, reducer);
  const diagonals = makeQueryJoin(keys, reducer);
  for (let r = 0; r < window.rows; r++) {
    const end = window.read(r, values);
    const position = keys - window.rows + r;
    columns.nextQuery();
    diagonals.nextQuery();
    for (let k = 0; k < end; k++) {
      columns.join(k, values[k] as number);
      if (k <= position) diagonals.join(position - k, values[k] as number);
    }
  }
  columns.finish(weights.columns);
  diagonals.finish(weights.diagonals);
  return weights;
}

/** The whole window, for a cover that counts a pair on two lines once. */
function coverWindow(
  head: HeadTensors,
  window: WindowValues,
  selector: Extract<LineSelector, { type: 'line-cover' }>,
  forced: Lines,
): Lines {
  const { keys } = head;
  const probabilities = new Float32Array(window.rows * keys);
  const values = new Float64Array(keys);
  for (let r = 0; r < window.rows; r++) {
    probabilities.set(values.subarray(0, window.read(r, values)), r * keys);
  }
  const sampled = { rows: window.rows, probabilities, flops: window.flops() };
  return coverWithLines(head, sampled, selector.share, forced, selector.kinds);
}

/**
 * Single columns and diagonals by what the last queries give to them, as MInference's vertical-slash
 * (2024) does by number, FlexPrefill (2025) by share, and LoopServe (2025) by a cover. Forced keys
 * are lines too, and count towards each budget.
 */
export function selectComposedLines(
  head: HeadTensors,
  grid: BlockGrid,
  parts: ComposedSelection,
  selector: LineSelector,
): Selection {
  const window = windowValues(head, grid, parts);
  let lines = forcedLines(head.keys, parts.forced);
  if (selector.type === 'line-cover') {
    lines = coverWindow(head, window, selector, lines);
  } else {
    const weights = lineWeights(head, window, parts.reducer);
    for (const kind of ['columns', 'diagonals'] as const) {
      const [kept, weight] = [lines[kind], weights[kind]];
      if (selector.type === 'line-top-k') {
        addTopK(kept, weight, head.keys, selector[kind]);
        continue;
      }
      addTopP(kept, weight, head.keys, selector.share);
      addTopK(kept, weight, head.keys, selector.leastLines);
    }
  }
  const pattern = `${parts.summariser.type}, ${parts.scorer.type}, lines`;
  return selectLines(grid, besideLines(lines, parts.forced), {
    pattern,
    selectionFlops: window.flops(),
  });
}
