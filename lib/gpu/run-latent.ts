import { checkShapeLimits } from '../attention/checks';
import { f32Tolerance, rowsToCheck } from '../attention/compare';
import { distanceSteps, maxDifference, rowErrorSteps } from '../attention/compose/compare-rows';
import { cacheBytesOf, describeHeads } from '../attention/compose/describe-run';
import { findVisible } from '../attention/compose/find-visible';
import { joinMasks } from '../attention/compose/join-masks';
import { cutExpanded, latentReference, projectSteps } from '../attention/compose/latent-rows';
import {
  absorbedSteps,
  expandedSteps,
  type KernelTensors,
  type LatentRule,
  makeLatent,
} from '../attention/compose/latent-tensors';
import { maskNode } from '../attention/compose/nodes';
import type { ComposeResult } from '../attention/compose/result';
import { makeProgram } from '../attention/program';
import type { ComposeParams } from '../spec/kinds/compose';
import {
  type ComposeRunner,
  describeCalls,
  drive,
  driveTimed,
  runKernelCall,
  sharedFacts,
} from './compose-calls';
import { CHECK_FLOPS } from './run-context';

/**
 * Multi-head latent attention twice: absorbed, one KV head of rank + ropeSize channels, and expanded,
 * a KV head per query head. Outputs are compared with each other and with f64.
 */
export async function runLatent(
  params: ComposeParams,
  rule: LatentRule,
  runner: ComposeRunner,
): Promise<ComposeResult> {
  const { shape, seed } = params;
  const { variant } = params.parts[0]!;
  runner.report({ fraction: undefined, phase: 'inputs' });
  const latent = makeLatent(params, rule);
  const runForm = async (name: string, steps: Generator<number, KernelTensors>) => {
    const tensors = await drive(steps, runner, `${name}: tensors`);
    const issues = checkShapeLimits(tensors.shape, runner.maxBufferBytes);
    if (issues.length > 0) throw new Error(issues.join('; '));
    const program = makeProgram({ shape: tensors.shape, seed, variant });
    return runKernelCall(params, runner, name, { ...tensors, program }, variant);
  };
  const absorbed = await runForm('absorbed', absorbedSteps(params, rule, latent));
  const expanded = await runForm('expanded', expandedSteps(params, rule, latent));
  const calls = [absorbed, expanded];
  const composed = await driveTimed(
    projectSteps(params, rule, latent, absorbed.run.output),
    runner,
    'projecting',
  );
  const written = cutExpanded(params, rule, expanded.run.output);
  const largest = written.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const maxAbs = maxDifference(composed.value, written);
  const tolerance = 2 * f32Tolerance(shape.keys, largest);

  const program = makeProgram({ shape, seed, variant });
  const later = { mask: maskNode('k > q'), numbers: [], tables: [] };
  const isCausal = findVisible(joinMasks(shape, [program, later], 'and'), shape).pair === undefined;
  const full = isCausal ? ('causal' as const) : ('dense' as const);
  const rows = rowsToCheck(shape, CHECK_FLOPS / 2);
  const queries = [...new Set(Array.from(rows, (row) => row % shape.queries))];
  const whole = { shape, valueSize: shape.headSize, output: composed.value };
  const reference = latentReference(params, latent, queries, variant, false);
  const error = await drive(rowErrorSteps(whole, rows, reference, 1), runner, 'checking');
  const plain = latentReference(params, latent, queries, { type: full }, true);
  const name = `${full} full attention`;
  const perHead = await drive(distanceSteps(whole, rows, plain), runner, `comparing with ${name}`);

  const facts = sharedFacts(calls);
  return {
    params,
    ...facts,
    // The expanded form is there to compare with; the composition is the absorbed one.
    timing: absorbed.run.result.timing,
    calls: describeCalls(calls, undefined),
    composeSeconds: composed.seconds,
    oneCallSeconds: undefined,
    error,
    distances: [{ name, perHead }],
    laws: [{ name: 'absorbed = expanded', maxAbs, tolerance, holds: maxAbs <= tolerance }],
    missingShare: undefined,
    mass: undefined,
    heads: describeHeads(params, [[program]], undefined),
    cacheBytes: cacheBytesOf(params),
    notes: [
      'latents, queries and weights are normal numbers from the seed: structure strengths and KV heads are not used',
      'values are zero-padded to the width of the keys; composing is the product with W_uv, in TypeScript',
      ...facts.notes,
    ],
  };
}
