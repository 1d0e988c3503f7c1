import { parseArgs } from 'node:util';
import type { HeadGates } from '../../../lib/cache/policy/classify';
import { wholeNumber } from '../../../lib/cli/command-line';
import { readModel, SHIPPED_MODEL } from '../../../lib/cli/evaluate/read-model';
import { createThreadPool } from '../../../lib/cli/evaluate/thread-pool';
import { fitGates } from '../../../lib/evaluate/fit-gates';
import { POLICIES, policyOf } from '../../../lib/evaluate/policies';
import { DEFAULT_ENGINE, engineOf } from '../../../lib/run/engines';
import { taskOf } from '../../../lib/tasks/registry';
import { tableMarkdown } from './table-markdown';
import { readReport, rowKey, type TableRow, writeReport } from './table-report';

// Policy x task x budget x protocol, as a JSON report that a later run goes on with, and as markdown.
const USAGE = `usage: npm run --silent bench:cache-table -- --out FILE [options]

  --out FILE       the JSON report; rows that it has are not run again
  --policy ID      may be repeated (all)
  --task ID        may be repeated (niah-multi-key-1, variable-tracking, multi-passkey, passkey)
  --budget SHARE   may be repeated (0.25, 0.125)
  --protocol P     known or hidden; may be repeated (both)
  --context N      (512)
  --samples N      (30)
  --seed N         (1)
  --threads N      1 or 2 (2)
  --print          markdown of what the report has, without running`;

const FITTED = ' (fitted gates)';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    policy: { type: 'string', multiple: true, default: [...POLICIES.keys()] },
    task: {
      type: 'string',
      multiple: true,
      default: ['niah-multi-key-1', 'variable-tracking', 'multi-passkey', 'passkey'],
    },
    budget: { type: 'string', multiple: true, default: ['0.25', '0.125'] },
    protocol: { type: 'string', multiple: true, default: ['known', 'hidden'] },
    context: { type: 'string', default: '512' },
    samples: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    print: { type: 'boolean', default: false },
  },
});

interface Planned extends Pick<TableRow, 'policy' | 'task' | 'share' | 'protocol'> {
  readonly policyId: string;
}

function shareOf(text: string): number {
  const share = Number(text);
  if (share > 0 && share <= 1) return share;
  throw new Error(`invalid --budget: ${text} (expected above 0 and up to 1)`);
}

function protocolOf(text: string): TableRow['protocol'] {
  if (text === 'known' || text === 'hidden') return text;
  throw new Error(`invalid --protocol: ${text} (expected known or hidden)`);
}

/** Every row once, task after task, so that a run that is stopped has whole columns. */
function plannedRows(): Planned[] {
  const shares = values.budget.map(shareOf);
  return values.task.flatMap((task) => {
    taskOf(task);
    return values.protocol.map(protocolOf).flatMap((protocol) =>
      values.policy.flatMap((policyId): Planned[] => {
        const isOwn = policyOf(policyId).budgetOf === 'none' || policyId === 'full';
        if (isOwn) return [{ policyId, policy: policyId, task, protocol }];
        const names = policyId === 'duo-attention' ? [policyId, policyId + FITTED] : [policyId];
        return names.flatMap((policy) =>
          shares.map((share) => ({ policyId, policy, task, share, protocol })),
        );
      }),
    );
  });
}

async function run(): Promise<void> {
  const path = values.out;
  if (path === undefined) throw new Error(`missing --out\n\n${USAGE}`);
  const settings = {
    contextTokens: wholeNumber('--context', values.context, 16),
    samples: wholeNumber('--samples', values.samples, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    engine: DEFAULT_ENGINE,
  };
  const { contextTokens, samples, seed } = settings;
  const report = readReport(path, settings);
  if (values.print) {
    process.stdout.write(`${tableMarkdown(report)}\n`);
    return;
  }
  const rows = [...report.rows];
  const done = new Set(rows.map(rowKey));
  const left = plannedRows().filter((row) => !done.has(rowKey(row)));
  const data = await readModel(SHIPPED_MODEL, settings.engine);
  const pool = createThreadPool(wholeNumber('--threads', values.threads, 1, 2));
  let gates: HeadGates | undefined;
  const fitted = () => {
    if (gates) return gates;
    const fit = fitGates(engineOf(settings.engine)(data.config, data.weights), {
      samples: 8,
      contextTokens,
      seed,
    });
    let step = fit.next();
    while (!step.done) step = fit.next();
    gates = step.value;
    return gates;
  };
  try {
    await pool.load(data);
    for (const [at, { policyId, ...row }] of left.entries()) {
      const { accuracy, byteRatio, slotRatio } = await pool.run({
        policyId,
        budget: { type: 'ratio', share: row.share ?? 1 },
        plan: {
          taskId: row.task,
          contextTokens,
          seed,
          samples,
          protocol: row.protocol,
          answersStay: false,
        },
        ...(row.policy.endsWith(FITTED) ? { gates: fitted() } : {}),
      });
      if (accuracy === undefined)
        throw new Error(`invalid --task: ${row.task} (it has no answers)`);
      const { right, total, share, low, high } = accuracy;
      rows.push({ ...row, right, total, accuracy: share, low, high, byteRatio, slotRatio });
      writeReport(path, { settings, rows });
      process.stderr.write(`${at + 1} of ${left.length}: ${row.policy}, ${row.task}\n`);
    }
  } finally {
    pool.dispose();
  }
  process.stdout.write(`${tableMarkdown({ settings, rows })}\n`);
}

try {
  await run();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
