import type { HeadGates } from '../../cache/policy/classify';
import { EDIT_POLICIES } from '../../evaluate/edit-trace';
import { fitGates } from '../../evaluate/fit-gates';
import type { AskPlan } from '../../evaluate/types';
import { engineOf } from '../../run/engines';
import type { ModelData } from '../../run/evaluation-service';
import { RECALL_TASKS } from '../../transformer/recall';
import { command } from '../command-line';
import { type EvalOptions, parseEvalOptions } from '../evaluate/eval-options';
import { editLines, evaluationLines } from '../evaluate/print-evaluation';
import { readModel, SHIPPED_MODEL } from '../evaluate/read-model';
import { createThreadPool } from '../evaluate/thread-pool';

const USAGE = `usage: headroom eval --task ID [--policy ID] [--budget B] [options]

  --task ID        headroom tasks lists them
  --policy ID      full unless given
  --edits          in place of --task and --policy: contexts that were edited, and four caches that
                   follow the edit (full recompute, prefix reuse, splice, PIE), one line each
  --action NAME    what becomes of the slots that the policy does not keep, instead of its own:
                   evict, quantise, merge, compensate, project, offload, recompute, or JSON
  --gates SOURCE   of policies with classes of heads (duo-attention, razor-attention): proxy, what
                   the policy finds by itself on each context (unless given), or fitted, by
                   retrieval on 8 passkey contexts that are not tested
  --budget B       share of the full cache, or a number as 64tokens or 65536bytes (1)
  --context N      tokens of each context (512)
  --samples N      contexts (100)
  --seed N         (1)
  --protocol P     known: the question is in sight at compression; hidden: it is not;
                   turns: the 2nd to 5th question on the same compressed cache (hidden)
  --stay           with turns: answers stay in the cache instead of being rewound
  --set NAME=VALUE an option of the task, as headroom tasks ID lists them; may be repeated
  --model DIR      folder of a model in the tasks' vocabulary (the shipped recall model)
  --engine NAME    what computes
  --threads N      (as many as the machine runs at once)
  --json           one JSON object on standard output`;

/** Shows on a terminal how far it is. */
function progressLine(samples: number) {
  if (!process.stderr.isTTY) return undefined;
  return ({ samplesDone }: { readonly samplesDone: number }) =>
    process.stderr.write(`\r${samplesDone} of ${samples}${samplesDone === samples ? '\n' : ''}`);
}

const FIT_SAMPLES = 8;

/** Gates by retrieval, of the sizes that are asked about. */
function fittedGates(
  { config, weights, engine }: ModelData,
  { contextTokens, seed }: AskPlan,
): HeadGates {
  const model = engineOf(engine)(config, weights);
  const fit = fitGates(model, { samples: FIT_SAMPLES, contextTokens, seed });
  for (;;) {
    const step = fit.next();
    if (step.done) return step.value;
  }
}

/** Why a result says nothing of a policy. */
function notLearnt({ modelFolder, isEdits, plan }: EvalOptions): string | undefined {
  const { taskId: task } = plan;
  if (modelFolder !== SHIPPED_MODEL || isEdits || RECALL_TASKS.includes(task)) return undefined;
  return `note: the shipped model does not answer ${task} even with the full cache, so this says nothing of a policy`;
}

async function runEval(options: EvalOptions): Promise<void> {
  const { policyId, isEdits, composed, budget, plan, modelFolder, engine, isJson } = options;
  const { gates: gateSource } = options;
  const model = await readModel(modelFolder, engine);
  const threads = Math.min(options.threads, plan.samples);
  const gates = gateSource === 'fitted' ? fittedGates(model, plan) : undefined;
  const pool = createThreadPool(threads);
  try {
    await pool.load(model);
    const runs = [];
    for (const id of isEdits ? EDIT_POLICIES : [policyId]) {
      const startedAt = performance.now();
      const evaluation = await pool.run(
        { policyId: id, budget, plan, ...(composed ? { composed } : {}), ...(gates && { gates }) },
        progressLine(plan.samples),
      );
      runs.push({ id, evaluation, wallSeconds: (performance.now() - startedAt) / 1000 });
    }
    if (isJson) {
      const shown = runs.map(({ id, evaluation: { plan: asked, ...results }, wallSeconds }) => ({
        policy: id,
        ...(composed ? { action: composed.action } : {}),
        ...(gateSource ? { gates: gateSource, ...(gates && { gateValues: gates }) } : {}),
        budget,
        ...asked,
        ...results,
        engine,
        threads,
        wallSeconds,
      }));
      console.log(JSON.stringify(isEdits ? shown : shown[0], null, 2));
    } else if (isEdits) {
      for (const line of editLines(runs, model.config)) console.log(line);
    } else {
      for (const { evaluation, wallSeconds } of runs) {
        for (const line of evaluationLines(evaluation, wallSeconds)) console.log(line);
      }
    }
  } finally {
    pool.dispose();
  }
}

/** `headroom eval`: what a policy's cache still answers. See `USAGE`. */
export const evalCommand = command(USAGE, parseEvalOptions, async (options) => {
  const note = notLearnt(options);
  if (note !== undefined) console.error(note);
  await runEval(options);
  return 0;
});
