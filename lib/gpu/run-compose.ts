import { countVisiblePairs } from '../attention/block-list';
import { checkShapeLimits } from '../attention/checks';
import { f32Tolerance, rowsToCheck } from '../attention/compare';
import { distanceSteps, maxDifference, rowErrorSteps } from '../attention/compose/compare-rows';
import { comparisonsOf } from '../attention/compose/comparisons';
import { composeSteps, resolveGates } from '../attention/compose/compose-heads';
import { cacheBytesOf, describeHeads, describeMass } from '../attention/compose/describe-run';
import { encodeSteps, type RawTensors, rawTensorSteps } from '../attention/compose/encode-heads';
import { checkDisjoint, findVisible } from '../attention/compose/find-visible';
import { joinMasks } from '../attention/compose/join-masks';
import { maskNode } from '../attention/compose/nodes';
import { oneCallProgram } from '../attention/compose/one-call';
import { partProgram } from '../attention/compose/part-program';
import { type Piece, piecesOf } from '../attention/compose/pieces';
import type { ComposeLaw, ComposeResult, OutputDistance } from '../attention/compose/result';
import { rotationLaw } from '../attention/compose/rotation-law';
import { rowReference } from '../attention/compose/row-reference';
import { type AttentionProgram, assembleProgram, makeProgram } from '../attention/program';
import type { ComposeParams, ComposePart } from '../spec/kinds/compose';
import {
  type ComposeRunner,
  describeCalls,
  drive,
  driveTimed,
  type FinishedCall,
  runKernelCall,
  sharedFacts,
} from './compose-calls';
import { CHECK_FLOPS } from './run-context';
import { runLatent } from './run-latent';

/**
 * Runs every part's pieces as calls of the kernels, composes their outputs, and compares the whole
 * with its definition in f64, with full attention, and with one call where one can say the same.
 *
 * @throws Error where a tensor is too large, parts of a merge overlap, or a call fails
 */
export async function runCompose(
  params: ComposeParams,
  runner: ComposeRunner,
): Promise<ComposeResult> {
  const { shape, seed } = params;
  const issues = checkShapeLimits(shape, runner.maxBufferBytes);
  if (issues.length > 0) throw new Error(issues.join('; '));
  if (params.rule.type === 'latent') return runLatent(params, params.rule, runner);
  const variants = params.parts.map(({ name, variant }) => ({
    name,
    program: makeProgram({ shape, seed, variant }),
  }));
  const { rule } = params;
  const mustBeDisjoint = rule.type === 'merge' && rule.overlaps === 'refuse';
  const isSampled = mustBeDisjoint && checkDisjoint(variants, shape);
  const isCausal = variants.every(({ program }) => isWithinCausal(program, params));

  const raw = await drive(rawTensorSteps(params), runner, 'inputs');
  const pieces = piecesOf(params);
  const programs = params.parts.map((part) =>
    pieces.map((piece) => partProgram(params, part, piece)),
  );
  const tensor = tensorCache(params, raw, runner);
  const calls: FinishedCall[] = [];
  for (const [p, part] of params.parts.entries()) {
    for (const [i, piece] of pieces.entries()) {
      const name = piece.name === '' ? part.name : `${part.name}, ${piece.name}`;
      const query = await tensor(part, piece, 'query');
      const key = await tensor(part, piece, 'key');
      const inputs = { shape, query, key, value: raw.value, program: programs[p]![i]! };
      calls.push(await runKernelCall(params, runner, name, inputs, part.variant));
    }
  }
  const outputs = params.parts.map((_, p) =>
    calls.slice(p * pieces.length, (p + 1) * pieces.length).map(({ run }) => run.output),
  );

  const gates = resolveGates(params, outputs);
  const composed = await driveTimed(
    composeSteps(params, outputs, gates?.gates),
    runner,
    'composing',
  );
  const whole = { shape, valueSize: shape.headSize, output: composed.value };
  const laws: ComposeLaw[] = [];
  const one = oneCallProgram(params, programs);
  let oneCallSeconds: number | undefined;
  if (one !== undefined) {
    const [part] = params.parts as [ComposePart];
    const query = await tensor(part, pieces[0]!, 'query');
    const key = await tensor(part, pieces[0]!, 'key');
    const inputs = { shape, query, key, value: raw.value, program: one };
    const { run } = await runKernelCall(params, runner, 'one call', inputs, part.variant);
    oneCallSeconds = run.result.timing.medianSeconds;
    const single = { ...params, parts: [part] };
    const steps = composeSteps(single, [[run.output]], undefined);
    const expected = await drive(steps, runner, 'composing');
    const largest = expected.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    const maxAbs = maxDifference(composed.value, expected);
    const tolerance = 2 * f32Tolerance(shape.keys, largest);
    const name = 'merge of the parts = one call over their keys';
    laws.push({ name, maxAbs, tolerance, holds: maxAbs <= tolerance });
  }
  const rotation = rotationLaw(params, raw, pieces[0]!);
  if (rotation !== undefined) laws.push(rotation);

  const comparisons = comparisonsOf(params, raw, gates?.gates, isCausal);
  const budget = CHECK_FLOPS / (params.parts.length + comparisons.length);
  const rows = rowsToCheck(shape, budget);
  const reference = rowReference(params, raw, gates?.gates);
  const gain = params.rule.type === 'difference' ? 1 + Math.abs(params.rule.lambda) : 1;
  const error = await drive(rowErrorSteps(whole, rows, reference, gain), runner, 'checking');
  const distances: OutputDistance[] = [];
  for (const { name, row } of comparisons) {
    const perHead = await drive(distanceSteps(whole, rows, row), runner, `comparing with ${name}`);
    distances.push({ name, perHead });
  }

  const named = describeMass(params, outputs, massNames(params, calls));
  const facts = sharedFacts(calls);
  return {
    params,
    ...facts,
    calls: describeCalls(calls, params.rule.type === 'merge' ? named?.means : undefined),
    composeSeconds: composed.seconds,
    oneCallSeconds,
    error,
    distances,
    laws,
    missingShare: params.rule.type === 'merge' ? missingShare(params, calls, isCausal) : undefined,
    mass: named?.mass,
    heads: describeHeads(params, programs, gates),
    cacheBytes: cacheBytesOf(params),
    notes: [
      ...(isSampled ? ['overlap of the parts was looked for on a spread of rows only'] : []),
      ...(gates?.classes === undefined
        ? []
        : [
            'classes go by mass outside the second part, a stand-in for trained gates; both parts ran over every head, as in training',
          ]),
      ...(pieces.length > 1
        ? [
            `positions ${params.positions.type}: each part runs as ${pieces.map(({ name }) => name).join(' and ')} keys, merged by their LSE`,
          ]
        : []),
      ...facts.notes,
    ],
  };
}

function massNames(params: ComposeParams, calls: readonly FinishedCall[]): readonly string[] {
  if (params.rule.type === 'gate') return [params.parts[1]!.name, 'other keys'];
  const names = calls.map(({ name }) => name);
  return params.sink.type === 'none' ? names : [...names, 'sink logit'];
}

function isWithinCausal(program: AttentionProgram, { shape }: ComposeParams): boolean {
  const later = { mask: maskNode('k > q'), numbers: [], tables: [] };
  return findVisible(joinMasks(shape, [program, later], 'and'), shape).pair === undefined;
}

/** Pairs of full attention that no call of a merge sees, over its pairs. */
function missingShare(
  { shape }: ComposeParams,
  calls: readonly FinishedCall[],
  isCausal: boolean,
): number {
  const full = assembleProgram(shape, {
    mask: isCausal ? maskNode('k <= q') : undefined,
    score: undefined,
    numbers: [],
    tables: [],
  });
  const { batch, queryHeads, queries, keys } = shape;
  const density = countVisiblePairs(full, shape).pairs / (batch * queryHeads * queries * keys);
  const seen = calls.reduce((sum, { run }) => sum + run.result.density.elements, 0);
  // Densities of large calls are estimates.
  return Math.max(0, 1 - seen / density);
}

/** Encoded tensors by what they depend on: parts with the same channels share keys. */
function tensorCache(params: ComposeParams, raw: RawTensors, runner: ComposeRunner) {
  const made = new Map<string, Float32Array>();
  return async (part: ComposePart, piece: Piece, role: 'query' | 'key'): Promise<Float32Array> => {
    const { channels, temperature } = part;
    const name = [role, piece.name, channels, role === 'query' ? temperature : ''].join('|');
    const known = made.get(name);
    if (known !== undefined) return known;
    const steps = encodeSteps(params, part, piece, raw, role);
    const tensor = await drive(steps, runner, `${part.name}: positions`);
    made.set(name, tensor);
    return tensor;
  };
}
