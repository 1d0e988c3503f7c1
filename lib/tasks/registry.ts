import {
  chunkFacts,
  editedFacts,
  latest,
  multiTurn,
  streamFacts,
  variableTracking,
} from './context-tasks';
import {
  multiPasskey,
  niahMultiKey,
  niahMultiQuery,
  niahMultiValue,
  niahNeedlesOnly,
  niahSingle,
  passkey,
} from './needle-tasks';
import { commonWords, copying, induction, knownEntropy, mqar } from './sequence-tasks';
import type { Task } from './task';

/** Every task, in the order it is listed. */
export const TASKS: readonly Task[] = [
  passkey,
  multiPasskey,
  niahSingle,
  niahMultiKey,
  niahNeedlesOnly,
  niahMultiValue,
  niahMultiQuery,
  variableTracking,
  commonWords,
  mqar,
  induction,
  copying,
  chunkFacts,
  multiTurn,
  latest,
  streamFacts,
  editedFacts,
  knownEntropy,
];

/** @throws RangeError for an unknown id, with the known ones */
export function taskOf(id: string): Task {
  const task = TASKS.find((each) => each.id === id);
  if (task === undefined) {
    throw new RangeError(
      `unknown task: ${id} (expected ${TASKS.map((each) => each.id).join(', ')})`,
    );
  }
  return task;
}
