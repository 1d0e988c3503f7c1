import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { initialJavaScript } from '../../lib/tools/initial-javascript.mjs';
import { OUT } from '../../lib/tools/paths.mjs';

// `npm run bench`: the simulator's speed, the page's weight, and attention beside its peers.
const tsx = (script) =>
  execFileSync('npx', ['tsx', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
mkdirSync('test-results', { recursive: true });
const serving = JSON.parse(tsx('test/bench/serving/run.ts'));
const javascript = existsSync(OUT)
  ? initialJavaScript(OUT)
  : { skipped: 'no build: run `npm run build`' };
console.log(JSON.stringify({ serving, javascript }, null, 1));
tsx('test/bench/attention/run.ts');
const attention = JSON.parse(readFileSync('test-results/bench-attention.json', 'utf8'));
writeFileSync(
  'test-results/bench.json',
  JSON.stringify({ serving, javascript, attention }, null, 1),
);
console.log('written to test-results/bench.json');
