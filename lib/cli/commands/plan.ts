import { createLocalClient } from '../../run/local-client';
import { createSweepPool } from '../../run/sweep-pool';
import { createSweepService, type SweepSubjectData } from '../../run/sweep-service';
import type { PlanResult } from '../../serving/plan/result';
import { type PlanParams, planParams } from '../../spec/kinds/plan';
import { serveParams } from '../../spec/kinds/serve';
import { isGenerated, workloadParams } from '../../spec/kinds/workload';
import type { CellOf, Notebook } from '../../spec/notebook';
import { PLAN_COLUMNS, planMarks, planText } from '../../views/plan-rows';
import { atMost, command, readArguments } from '../command-line';
import { notebookOf } from '../read-notebook';

const USAGE = `usage: headroom plan (--model M --hardware H | FILE --cell ID) --accelerators N [options]

  --model M             llama-3.1-8b, llama-3.1-70b, opt-13b, ... as a serve cell names it
  --hardware H          a100-80g, h100, l40s, rtx-4090, rtx-pro-6000
  --cost TYPE           roofline, calibrated or fitted (roofline)
  --prompt N --output N tokens of every request; without them lengths of conversations
  --seed N              of the load (1)
  --ttft S --tpot S --attainment A
                        the SLO (1, 0.05, 0.9)
  FILE --cell ID        a serve cell of a notebook over a generated workload instead of all these
  --accelerators N      1..64 (8)
  --arrangements WHICH  both, colocated or pools (both)
  --refine N            plans simulated in full (8)
  --seeds N             runs of each rate in full (3)
  --seconds S           of arrivals in a run in full (30)
  --price P             of an accelerator-hour, in any currency (2)
  --choose WHAT         goodput, cost or energy (goodput)
  --link GBS            KV link of a decode replica, gigabytes per second (25)
  --json                one JSON object on standard output`;

const text = { type: 'string' } as const;

function readFlags(args: readonly string[]) {
  const { values, positionals } = readArguments(args, {
    model: text,
    hardware: text,
    cost: text,
    prompt: text,
    output: text,
    seed: text,
    ttft: text,
    tpot: text,
    attainment: text,
    cell: text,
    accelerators: text,
    arrangements: text,
    refine: text,
    seeds: text,
    seconds: text,
    price: text,
    choose: text,
    link: text,
    json: { type: 'boolean', default: false },
  });
  atMost(positionals, 1);
  return { values, file: positionals[0] };
}
type Flags = ReturnType<typeof readFlags>;

/** What a cell of a notebook and its workload say by themselves. */
const CELL_HAS = [
  'model',
  'hardware',
  'cost',
  'prompt',
  'output',
  'seed',
  'ttft',
  'tpot',
  'attainment',
] as const;

/** The option as a number; undefined where it is not given. */
function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (value.trim() === '' || Number.isNaN(parsed))
    throw new Error(`invalid --${name}: ${value} (expected a number)`);
  return parsed;
}

/** Parsed by a schema of the document, or its first problem in one sentence. */
function parsed<T>(
  schema: {
    safeParse(value: unknown):
      | { success: true; data: T }
      | {
          success: false;
          error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] };
        };
  },
  value: unknown,
): T {
  const result = schema.safeParse(JSON.parse(JSON.stringify(value)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`invalid ${issue?.path.join('.')}: ${issue?.message.toLowerCase()}`);
}

/** The search that the options ask for. @throws Error naming what is wrong */
export function planOptions({ values }: Flags): PlanParams {
  return parsed(planParams, {
    accelerators: numberOf('accelerators', values.accelerators),
    arrangements: values.arrangements,
    refine: numberOf('refine', values.refine),
    seeds: numberOf('seeds', values.seeds),
    runSeconds: numberOf('seconds', values.seconds),
    pricePerAcceleratorHour: numberOf('price', values.price),
    choose: values.choose,
    linkGigabytesPerSecond: numberOf('link', values.link),
  });
}

function subjectOfOptions({ values }: Flags): SweepSubjectData {
  if (values.model === undefined) throw new Error('missing --model');
  if (values.hardware === undefined) throw new Error('missing --hardware');
  const params = parsed(serveParams, {
    model: values.model,
    hardware: values.hardware,
    strategy: { type: 'composed' },
    costModel: { type: values.cost ?? 'roofline' },
    slo: {
      ttftSeconds: numberOf('ttft', values.ttft),
      tpotSeconds: numberOf('tpot', values.tpot),
      attainment: numberOf('attainment', values.attainment),
    },
  });
  const isFixed = values.prompt !== undefined || values.output !== undefined;
  const load = parsed(workloadParams, {
    source: {
      type: 'generator',
      ...(isFixed && { lengths: 'fixed' }),
      promptTokens: numberOf('prompt', values.prompt),
      outputTokens: numberOf('output', values.output),
    },
    seed: numberOf('seed', values.seed),
  });
  return { params, load: { type: 'generator', params: load }, tables: undefined };
}

function subjectOfCell(notebook: Notebook, cellId: string): SweepSubjectData {
  const cell = notebook.cells.find(({ id }) => id === cellId);
  if (cell?.kind !== 'serve') throw new Error(`no serve cell "${cellId}"`);
  const load = notebook.cells.find(
    (each): each is CellOf<'workload'> => each.kind === 'workload' && cell.inputs.includes(each.id),
  );
  if (load === undefined || !isGenerated(load.params.source))
    throw new Error(`cell "${cell.id}": needs a generated workload, whose rate can be set`);
  return {
    params: cell.params,
    load: { type: 'generator', params: load.params },
    tables: undefined,
  };
}

/** Where the load and the SLO come from. */
type Subject = SweepSubjectData | { readonly file: string; readonly cellId: string };

function subjectOf(flags: Flags): Subject {
  const { file, values } = flags;
  if (file === undefined) {
    if (values.cell !== undefined) throw new Error('--cell without FILE');
    return subjectOfOptions(flags);
  }
  if (values.cell === undefined) throw new Error('missing --cell');
  const stray = CELL_HAS.find((name) => values[name] !== undefined);
  if (stray !== undefined) throw new Error(`--${stray} with FILE, whose cell has its own`);
  return { file, cellId: values.cell };
}

async function readSubject(subject: Subject): Promise<SweepSubjectData> {
  if (!('file' in subject)) return subject;
  return subjectOfCell((await notebookOf(subject.file)).notebook, subject.cellId);
}

function printTable({ rows, chosen, enumerated, pruned, notes }: PlanResult): void {
  console.log(['plan', ...PLAN_COLUMNS.map(({ title }) => title), ''].join('\t'));
  for (const row of rows.filter(({ figures }) => figures !== undefined)) {
    const cells = PLAN_COLUMNS.map((column) => planText(column, row));
    console.log([row.label, ...cells, planMarks(row, chosen)].join('\t'));
  }
  console.log(`\n${enumerated} plans`);
  for (const { label, reason } of pruned) console.log(`left out: ${label}: ${reason}`);
  for (const note of notes) console.log(note);
}

function readOptions(args: readonly string[]) {
  const flags = readFlags(args);
  return { params: planOptions(flags), subject: subjectOf(flags), isJson: flags.values.json };
}

/** `headroom plan`. See `USAGE`; exit code 1 where no plan holds the SLO. */
export const planCommand = command(USAGE, readOptions, async ({ params, subject, isJson }) => {
  const data = await readSubject(subject);
  const pool = createSweepPool([createLocalClient(createSweepService(), 'sweep')]);
  const startedAt = performance.now();
  try {
    const result = await pool.plan(
      data,
      params,
      process.stderr.isTTY
        ? (_, fraction, phase) =>
            void process.stderr.write(`\r${(100 * fraction).toFixed(0)} % ${phase}   `)
        : undefined,
    );
    if (process.stderr.isTTY) process.stderr.write('\n');
    const wallSeconds = (performance.now() - startedAt) / 1000;
    if (isJson) console.log(JSON.stringify({ ...result, wallSeconds }));
    else printTable(result);
    return result.chosen === undefined ? 1 : 0;
  } finally {
    pool.dispose();
  }
});
