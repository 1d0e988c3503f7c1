'use client';

import { useMemo } from 'react';
import { computes } from '../../lib/serving/lane-roles';
import { indexLane } from '../../lib/views/timeline/lane-index';
import { requestsAt } from '../../lib/views/timeline/requests-at';
import { type LabelledLane, requestOf } from '../../lib/views/timeline/rows';
import type { ViewInput } from '../../lib/views/view-input';
import type { PickableRun } from './request-picker';

/** Names the results of the inputs: another key is another run. */
export const keyOf = (inputs: readonly ViewInput[]): string =>
  inputs.map(({ id, result }) => `${id} ${result?.provenance.specHash}`).join();

/** A lane, and where it stands in the result that it is of. */
export interface RunLane extends LabelledLane {
  readonly runId: string;
  readonly lane: number;
}

/** Lanes of all runs, indexed once per result. */
export function useLanes(inputs: readonly ViewInput[]): readonly RunLane[] {
  const key = keyOf(inputs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the results; the arrays are new on every render
  return useMemo(
    () =>
      inputs.flatMap(({ id, result }) =>
        result?.output.kind === 'serve'
          ? result.output.value.lanes.map((lane, l) => ({
              runId: id,
              lane: l,
              label: `${id}: ${lane.label}`,
              index: indexLane(lane),
            }))
          : [],
      ),
    [key],
  );
}

/** Lanes whose names have every word of the text, in any case; all where it is empty. */
export function lanesNamed(lanes: readonly RunLane[], text: string): readonly RunLane[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return lanes;
  return lanes.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
}

/** Named at the cursor. */
const SHOWN_REQUESTS = 24;

/** Runs of which a request can be asked. */
export function useRuns(inputs: readonly ViewInput[]): readonly PickableRun[] {
  const key = keyOf(inputs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the results; the arrays are new on every render
  return useMemo(
    () =>
      inputs.flatMap(({ id, result }) =>
        result?.output.kind === 'serve'
          ? [
              {
                id,
                requests: result.output.value.requests,
                wallSeconds: result.output.value.wallSeconds,
              },
            ]
          : [],
      ),
    [key],
  );
}

/** Requests at the cursor's iteration. */
export function useNear(
  runs: readonly PickableRun[],
  chosen: RunLane | undefined,
  iteration: number | undefined,
) {
  return useMemo(() => {
    const run = runs.find(({ id }) => id === chosen?.runId);
    if (run === undefined || chosen === undefined || iteration === undefined) return undefined;
    const { lane } = chosen.index;
    const { startSeconds, durationSeconds } = lane;
    if (lane.role === 'link' || lane.role === 'encode') {
      const id = requestOf(lane, iteration);
      return id === undefined ? undefined : { runId: run.id, running: [id], waiting: [], more: 0 };
    }
    if (!computes(lane)) return undefined;
    const middle = (startSeconds[iteration] as number) + (durationSeconds[iteration] as number) / 2;
    return { runId: run.id, ...requestsAt(run.requests, chosen.lane, middle, SHOWN_REQUESTS) };
  }, [runs, chosen, iteration]);
}
