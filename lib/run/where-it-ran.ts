import type { CacheResult, CacheRun } from '../evaluate/cell-result';
import type { DeviceReport } from './evaluation-service';
import { tokenTimes } from './model-device';

type RanOn = Pick<CacheResult, 'engine' | 'adapter' | 'notes'>;

const list = (labels: readonly string[]): string => labels.join(', ');

/** Which of a cache cell's work a device did, run by run, in sentences; nothing where none was wanted. */
export function whereItRan(
  engine: CacheResult['engine'],
  device: DeviceReport | undefined,
  runs: readonly Pick<CacheRun, 'label' | 'evaluation'>[],
): RanOn {
  const problems = new Set(runs.flatMap(({ evaluation }) => evaluation?.problems ?? []));
  const { adapter, problem, decodes = true, decodeMilliseconds } = device ?? {};
  if (adapter === undefined) {
    if (problem !== undefined) problems.add(`the GPU was not used: ${problem}`);
    return { engine, notes: [...problems] };
  }
  const labelsOf = (isOf: (ran: { held: number; layered: number; cpu: number }) => boolean) =>
    runs.flatMap(({ label, evaluation }) =>
      evaluation?.ran && isOf(evaluation.ran) ? [label] : [],
    );
  const held = labelsOf((ran) => ran.held > 0);
  const layered = labelsOf((ran) => ran.layered > 0);
  const apart = labelsOf((ran) => ran.held + ran.layered === 0);
  // Single tokens of a device that does not decode are the processor's in every run.
  const partly = decodes ? labelsOf((ran) => ran.held + ran.layered > 0 && ran.cpu > 0) : [];
  const notes = [...problems];
  if (held.length > 0) {
    notes.push(
      decodes
        ? `on the GPU, slots and all${tokenTimes(decodeMilliseconds)}: ${list(held)}`
        : `prompts on the GPU, tokens written in WebAssembly, which is faster${tokenTimes(decodeMilliseconds)}: ${list(held)}`,
    );
  }
  if (layered.length > 0) {
    notes.push(
      `layer by layer on the GPU, with the slots in WebAssembly's memory, because the policy acts between layers or chooses slots for every query: ${list(layered)}`,
    );
  }
  if (partly.length > 0) {
    notes.push(
      `with steps in WebAssembly too, short ones that the policy acts in, or its fit to the model: ${list(partly)}`,
    );
  }
  if (apart.length > 0) {
    notes.push(`in WebAssembly alone, because the policy runs the model itself: ${list(apart)}`);
  }
  notes.push('Scores, what is kept, and the pictures below were computed on the processor.');
  const isUsed = held.length + layered.length > 0;
  return isUsed ? { engine: 'webgpu', adapter, notes } : { engine, notes };
}
