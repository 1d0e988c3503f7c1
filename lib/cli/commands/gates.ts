import { measureGates } from '../../evaluate/gates';
import { DEFAULT_ENGINE, engineOf } from '../../run/engines';
import { MOST_CONTEXT_TOKENS } from '../../tasks/task';
import { atMost, command, readArguments, wholeNumber } from '../command-line';
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

function readOptions(args: readonly string[]) {
  const { values, positionals } = readArguments(args, {
    model: { type: 'string', default: SHIPPED_MODEL },
    context: { type: 'string', default: '512' },
    samples: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: DEFAULT_ENGINE },
    threads: { type: 'string', default: String(MACHINE_THREADS) },
    json: { type: 'boolean', default: false },
  });
  atMost(positionals, 0);
  return {
    sizes: {
      contextTokens: wholeNumber('--context', values.context, 32, MOST_CONTEXT_TOKENS),
      samples: wholeNumber('--samples', values.samples, 1, 100_000),
      seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
    },
    threads: wholeNumber('--threads', values.threads, 1, 64),
    make: engineOf(values.engine),
    engine: values.engine,
    folder: values.model,
    isJson: values.json,
  };
}

/** `headroom gates`: whether a model passes each acceptance gate, with n and interval. */
export const gatesCommand = command(USAGE, readOptions, async (options) => {
  const { sizes, make } = options;
  const model = await readModel(options.folder, options.engine);
  const pool = createThreadPool(options.threads);
  try {
    await pool.load(model);
    const report = await measureGates(make(model.config, model.weights), sizes, (plan) =>
      pool.run({ policyId: 'full', budget: { type: 'ratio', share: 1 }, plan }),
    );
    if (options.isJson) console.log(JSON.stringify({ ...sizes, ...report }, null, 2));
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
});
