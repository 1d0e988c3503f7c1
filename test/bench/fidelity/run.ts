import '../../../lib/spec/zod-config';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readMeasuredRun } from '../../../lib/cli/check/run-folder';
import { siliconReport } from '../../../lib/cli/check/silicon';
import { readTableFolder } from '../../../lib/cli/check/table-folder';
import { readEngineSettings } from '../../../lib/serving/fidelity/engine-settings';
import {
  analyticCostModel,
  compareRun,
  gpuOf,
  paramsOf,
  tablesCostModel,
} from '../../../lib/serving/fidelity/replay-run';
import { checkVidurRun } from '../../../lib/serving/fidelity/vidur-parity';

// Every measured and every reference run that is there, simulated again. One JSON document on
// standard output and in test-results/fidelity.json. Run folders are named after accelerator and
// model, and so are the folders of their operator tables.
const DATA = new URL('../../../../shared/data/', import.meta.url);
const path = (name: string): string => fileURLToPath(new URL(name, DATA));
const filesIn = (name: string): string[] => (existsSync(path(name)) ? readdirSync(path(name)) : []);

async function measuredRun(name: string) {
  const model = name.slice(name.indexOf('-') + 1);
  const tokens = filesIn('traces').find((file) => file.startsWith(`sharegpt-${model}`));
  const run = await readMeasuredRun(
    path(`vllm-runs/${name}`),
    tokens === undefined ? undefined : path(`traces/${tokens}`),
  );
  const hasTables = existsSync(path(`op-tables/${name}`));
  const files = hasTables ? await readTableFolder(path(`op-tables/${name}`)) : undefined;
  const settings = readEngineSettings(`${name}/meta.json`, run.meta, { gpu: gpuOf(files) ?? name });
  const analytic = settings.model.experts === undefined;
  return {
    name,
    tables:
      files === undefined
        ? undefined
        : compareRun(run, paramsOf(settings), tablesCostModel(files, settings)),
    analytic: analytic
      ? compareRun(run, paramsOf(settings), analyticCostModel(settings))
      : undefined,
  };
}

const unzipped = (name: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(path(`vidur/${name}`))).toString('utf8'));

/** Tables of a scheduler that forms other batches than most were written apart. */
const TABLES_OF: Readonly<Record<string, string>> = {
  orca: 'fullscan',
  faster_transformer: 'fullscan',
  lightllm: 'lightllm',
};

function vidurRun(name: string) {
  const setup = /^(a100_llama3-\d+b_tp\d+)_([a-z_]+?)_conv/.exec(name);
  const [, machine = '', scheduler = ''] = setup ?? [];
  const tables = `tables_${machine}_${TABLES_OF[scheduler] ?? 'std'}.json.gz`;
  return { name, tables, ...checkVidurRun(unzipped(tables), unzipped(name)) };
}

if (!existsSync(DATA)) {
  console.error('SKIPPED: ../shared/data is absent, so there is nothing to compare with');
  process.exit(0);
}
const vllm = [];
for (const name of filesIn('vllm-runs')) vllm.push(await measuredRun(name));
const vidur = filesIn('vidur')
  .filter((name) => name.endsWith('.json.gz') && !name.startsWith('tables_'))
  .map(vidurRun);
const silicon = [];
for (const file of filesIn('silicon')) {
  silicon.push({ file, ...(await siliconReport({ file: path(`silicon/${file}`) })) });
}
const report = JSON.stringify({ vllm, vidur, silicon }, null, 1);
mkdirSync(new URL('../../../test-results/', import.meta.url), { recursive: true });
writeFileSync(new URL('../../../test-results/fidelity.json', import.meta.url), report);
process.stdout.write(`${report}\n`);
