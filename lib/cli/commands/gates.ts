import { parseArgs } from 'node:util';
import { measureGates } from '../../evaluate/gates';
import { DEFAULT_ENGINE, engineOf } from '../../run/engines';
import { MOST_CONTEXT_TOKENS } from '../../tasks/task';
import { wholeNumber } from '../evaluate/eval-options';
import { readModel, SHIPPED_MODEL } from '../evaluate/read-model';
import { createThreadPool, MACHINE_THREADS } from '../evaluate/thread-pool';

const USAGE = `usage: headroom gates [--model DIR] [options]

  --model DIR    folder of a model in the tasks' vocabulary (the shipped recall model)
  --context N    tokens of each context (512)
  --samples N    contexts of each task (200)
  --seed N       (1)
  --engine NAME  what computes
  --threads N    (as many as the machine runs at once)
  --json         one JSON object on standard output

Exit code 1 where a gate is not passed.`;

/** `headroom gates`: whether a model passes each acceptance gate, with n and interval. */
export async function gatesCommand(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string', default: SHIPPED_MODEL },
      context: { type: 'string', default: '512' },
      samples: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      engine: { type: 'string', default: DEFAULT_ENGINE },
      threads: { type: 'string', default: String(MACHINE_THREADS) },
      json: { type: 'boolean', default: false },
    },
  });
  const options = {
    contextTokens: wholeNumber('--context', values.context, 32, MOST_CONTEXT_TOKENS),
    samples: wholeNumber('--samples', values.samples, 1, 100_000),
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
  };
  const make = engineOf(values.engine);
  const model = await readModel(values.model, values.engine);
  const pool = createThreadPool(wholeNumber('--threads', values.threads, 1, 64));
  try {
    await pool.load(model);
    const report = await measureGates(make(model.config, model.weights), options, (plan) =>
      pool.run({ policyId: 'full', budget: { type: 'ratio', share: 1 }, plan }),
    );
    if (values.json) console.log(JSON.stringify({ ...options, ...report }, null, 2));
    else {
      for (const gate of report.gates) {
        const [value, low, high] = [gate.value, gate.low, gate.high].map((v) => v.toFixed(3));
        console.log(
          `${gate.passes ? 'passes' : 'fails'}\t${gate.name}\t${value} (${low} to ${high}), n ${gate.count}, bar ${gate.bar}`,
        );
      }
      const { largest, mean } = report.sinkMass;
      console.log(
        `measured\tsink mass\t${largest.toFixed(3)} in the head with most, ${mean.toFixed(3)} over all heads`,
      );
    }
    return report.gates.every(({ passes }) => passes) ? 0 : 1;
  } finally {
    pool.dispose();
  }
}
