import type { CacheResult, CacheRun } from '../evaluate/cell-result';
import type { StepTally } from '../transformer/types';
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
  const ranOf = runs.flatMap(({ label, evaluation }) =>
    evaluation?.ran ? [{ label, ...evaluation.ran }] : [],
  );
  const labelsOf = (isOf: (ran: StepTally) => boolean) =>
    ranOf.filter(isOf).map(({ label }) => label);
  const held = labelsOf((ran) => ran.held > 0);
  const layered = labelsOf((ran) => ran.layered > 0);
  const apart = labelsOf((ran) => ran.held + ran.layered === 0);
  // Single tokens of a device that does not decode are the processor's in every run.
  const partly = ranOf
    .filter((ran) => decodes && ran.held + ran.layered > 0 && ran.cpu > 0)
    .map(({ label, held, layered, cpu }) => `${label} ${cpu} of ${held + layered + cpu} steps`);
  const notes = [...problems];
  if (held.length > 0) {
    notes.push(
      decodes
        ? `computed by WebGPU, over slots that the device holds${tokenTimes(decodeMilliseconds)}: ${list(held)}`
        : `prompts read by WebGPU, tokens written in WebAssembly, which is faster${tokenTimes(decodeMilliseconds)}: ${list(held)}`,
    );
  }
  if (layered.length > 0) {
    notes.push(
      `in part layer by layer by WebGPU, with the slots outside the device, because the policy acts between layers or chooses slots for every query: ${list(layered)}`,
    );
  }
  if (partly.length > 0) {
    notes.push(
      `of these in WebAssembly, where the policy runs the model itself, or acts in steps of few tokens: ${list(partly)}`,
    );
  }
  if (apart.length > 0) {
    notes.push(`in WebAssembly alone, because the policy runs the model itself: ${list(apart)}`);
  }
  notes.push(
    'scores, the choice of slots, and the pictures of slots and attention were computed on the processor',
  );
  const isUsed = held.length + layered.length > 0;
  return isUsed ? { engine: 'webgpu', adapter, notes } : { engine, notes };
}
