import type { CellStatus } from '../../run/session-types';
import type { CellOutput } from '../../run/types';
import { minimalNotebook } from '../../spec/canonical';
import type { Notebook } from '../../spec/notebook';

export const RESULTS_FORMAT = 'headroom/results';
export const RESULTS_VERSION = 1;

/** Plain JSON data: typed arrays as arrays, what is no finite number as null. */
export function plainJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<number>, plainJson);
  if (Array.isArray(value)) return value.map(plainJson);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key, plainJson(field)]),
  );
}

function shown(output: CellOutput, hasTimelines: boolean): unknown {
  if (output.kind !== 'serve' || hasTimelines) return output.value;
  const { lanes, tbt: _gaps, ...rest } = output.value;
  return {
    ...rest,
    lanes: lanes.map(({ id, label, role, kvBlocksTotal, startSeconds }) => ({
      id,
      label,
      role,
      kvBlocksTotal,
      iterations: startSeconds.length,
    })),
  };
}

/** The results file of a run; cells without a job (text, views) have no entry. */
export function resultsJson(
  notebook: Notebook,
  statuses: ReadonlyMap<string, CellStatus>,
  hasTimelines: boolean,
): string {
  const cells = [...statuses].flatMap(([id, { state, result }]) =>
    result === undefined
      ? []
      : [
          [
            id,
            {
              state,
              kind: result.output.kind,
              result: plainJson(shown(result.output, hasTimelines)),
              provenance: plainJson(result.provenance),
            },
          ],
        ],
  );
  return `${JSON.stringify({
    format: RESULTS_FORMAT,
    version: RESULTS_VERSION,
    notebook: minimalNotebook(notebook),
    cells: Object.fromEntries(cells),
  })}\n`;
}
