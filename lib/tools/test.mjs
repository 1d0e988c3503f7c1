import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstall } from './ensure-install.mjs';
import { failedInPlaywright, failedInVitest } from './failed-tests.mjs';
import { OUT, ROOT } from './paths.mjs';
import { runCommand } from './run-command.mjs';

const REPORTS = join(ROOT, 'test-results/');
const SUB_PATH = '/headroom';
const totals = { passed: 0, failed: 0, skipped: 0 };
/** What failed, to be said again at the end: a log of thousands of lines hides its one failure. */
const failed = [];
const startedAt = Date.now();

function report(name, counts) {
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  totals.skipped += counts.skipped;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  console.log(
    `== ${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped (at ${seconds} s)`,
  );
}

/** A step that passes or fails as a whole. */
async function check(name, run) {
  console.log(`== ${name}`);
  let code = 1;
  try {
    code = (await run()) ?? 0;
  } catch (error) {
    console.error(error.message);
  }
  if (code !== 0) failed.push({ name, message: `ended with ${code}` });
  report(name, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
  return code === 0;
}

/** A test runner whose JSON report is counted; a runner that dies without one counts as one failure. */
async function suite(name, args, file, read, env) {
  console.log(`== ${name}`);
  const path = join(REPORTS, file);
  rmSync(path, { force: true });
  const code = await runCommand('npx', args, { cwd: ROOT, env });
  const { counts, failures } = existsSync(path)
    ? read(JSON.parse(readFileSync(path, 'utf8')))
    : { counts: { passed: 0, failed: 0, skipped: 0 }, failures: [] };
  failed.push(...failures);
  if (code !== 0 && counts.failed === 0) {
    counts.failed = 1;
    failed.push({ name, message: `ended with ${code} and no test that failed` });
  }
  if (code === 0 && counts.passed === 0) {
    counts.failed += 1;
    failed.push({ name, message: 'ran no test' });
  }
  report(name, counts);
}

const readVitest = (json) => ({
  counts: {
    passed: json.numPassedTests,
    failed: json.numFailedTests,
    skipped: json.numPendingTests + json.numTodoTests,
  },
  failures: failedInVitest(json),
});
const readPlaywright = (json) => ({
  counts: {
    passed: json.stats.expected + json.stats.flaky,
    failed: json.stats.unexpected,
    skipped: json.stats.skipped,
  },
  failures: failedInPlaywright(json),
});
const vitest = (config, file) => [
  'vitest',
  'run',
  '--config',
  config,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(REPORTS, file)}`,
];

await ensureInstall();
mkdirSync(REPORTS, { recursive: true });
const { findBrowser } = await import('./find-browser.mjs');
const { build } = await import('./build.mjs');
const { startStaticServer } = await import('./static-server.mjs');
const { secondAdapter } = await import('./test-adapters.mjs');

const hasBrowser = await check('browser', async () => {
  process.env.CHROMIUM = await findBrowser({ install: true });
  console.log(`using ${process.env.CHROMIUM}`);
});
await check('types', () => runCommand('npx', ['tsc', '--noEmit'], { cwd: ROOT }));
await check('lint', () =>
  runCommand('npx', ['biome', 'check', '--error-on-warnings', '.'], { cwd: ROOT }),
);
await suite('unit', vitest('test/vitest.config.ts', 'unit.json'), 'unit.json', readVitest);

const second = await secondAdapter().catch(({ message }) => ({ failed: message }));
if ('failed' in second) {
  console.error(second.failed);
  failed.push({ name: 'second adapter', message: second.failed });
  report('second adapter', { passed: 0, failed: 1, skipped: 0 });
} else if ('skipped' in second) {
  console.log(`SKIPPED: the kernels did not run on a second adapter: ${second.skipped}`);
  report('second adapter', { passed: 0, failed: 0, skipped: 1 });
} else {
  console.log(`running on ${second.adapter}`);
  const args = vitest('test/vitest.browser.config.ts', 'adapter.json');
  await suite('second adapter', [...args, second.file], 'adapter.json', readVitest, second.env);
}

if (hasBrowser) {
  await suite(
    'browser',
    vitest('test/vitest.browser.config.ts', 'browser.json'),
    'browser.json',
    readVitest,
  );
  const subPathOut = join(REPORTS, 'sub-path');
  const isBuilt =
    (await check('build under a sub-path', async () => {
      await build({ basePath: SUB_PATH });
      rmSync(subPathOut, { recursive: true, force: true });
      renameSync(OUT, subPathOut);
    })) && (await check('build', () => build({ basePath: '' })));
  if (isBuilt) {
    const root = await startStaticServer(OUT);
    const subPath = await startStaticServer(subPathOut, { basePath: SUB_PATH });
    await suite(
      'end to end',
      ['playwright', 'test', '--config', 'test/playwright.config.ts'],
      'e2e.json',
      readPlaywright,
      { HEADROOM_URL: root.url, HEADROOM_SUB_PATH_URL: subPath.url },
    );
    await root.close();
    await subPath.close();
  }
}

for (const { name, message } of failed) console.log(`\nFAILED ${name}\n${message}`);
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exit(totals.failed === 0 ? 0 : 1);
