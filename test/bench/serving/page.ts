import { availableParallelism, loadavg } from 'node:os';
import { chromium } from 'playwright';
import { BROWSER_FLAGS, findBrowser } from '../../../lib/tools/find-browser.mjs';

// What a reader waits for, in the page: how often sliders over 1,000 requests are answered, and how
// long a goodput curve takes to show its first points. Serve the page first, then
// HEADROOM_URL=http://127.0.0.1:3000/ npm run bench:page. One JSON document on standard output.
const PAGE = process.env.HEADROOM_URL ?? 'http://127.0.0.1:3000/';
const SECONDS = 4;
const REST_MILLISECONDS = 2500;
const browser = await chromium.launch({
  executablePath: await findBrowser(),
  args: [...BROWSER_FLAGS],
});

async function openPage(text: string) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript('globalThis.__name = (v) => v');
  await page.goto(PAGE);
  await page.locator('[data-cell]').first().waitFor();
  await page
    .locator('header input[type=file]')
    .setInputFiles({ name: 'bench.md', mimeType: 'text/markdown', buffer: Buffer.from(text) });
  await page.locator('[data-cell=s]').waitFor();
  await page.waitForTimeout(REST_MILLISECONDS);
  return page;
}
const cellText = (kind: string, params: object) =>
  `\`\`\`cell ${kind}\n${JSON.stringify(params)}\n\`\`\`\n`;

/** The slider moves by a step in every frame: an answer to each is the most there can be. */
async function sliders(type: string) {
  const page = await openPage(
    cellText('workload #load', { source: { type: 'generator', requests: 1000 } }) +
      cellText('serve #s <- load', { strategy: { type } }),
  );
  const cell = page.locator('[data-cell=s]');
  await cell.locator('button', { hasText: /^Run/ }).click();
  await cell.locator('[data-state=done]').first().waitFor();
  await cell.locator('summary', { hasText: 'What if' }).click();
  await cell.locator('table[aria-label="what if"]').waitFor();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const mainSeconds = async (): Promise<number> => {
    const { metrics } = await cdp.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
  };
  const drag = () =>
    page.evaluate(async (seconds) => {
      const input = document.querySelector('[data-cell=s] input[type=range]') as HTMLInputElement;
      const state = document.querySelector('[data-testid=what-if-state]') as HTMLElement;
      const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value') ?? {};
      const updates = () => Number(state.dataset.updates);
      const from = updates();
      const startedAt = performance.now();
      let frames = 0;
      for (; performance.now() - startedAt < 1000 * seconds; frames++) {
        set?.call(input, String(Math.abs((frames % 32) - 16) - 8));
        input.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise(requestAnimationFrame);
      }
      return {
        updates: updates() - from,
        frames,
        seconds: (performance.now() - startedAt) / 1000,
      };
    }, SECONDS);
  await drag();
  const before = await mainSeconds();
  const { updates, frames, seconds } = await drag();
  const main = (await mainSeconds()) - before;
  await page.close();
  const rounded = (value: number) => Number(value.toFixed(1));
  return {
    strategy: type,
    updatesPerSecond: rounded(updates / seconds),
    framesPerSecond: rounded(frames / seconds),
    mainThreadMillisecondsPerUpdate: rounded((1000 * main) / updates),
  };
}

/** Processor seconds of all threads of the browser's pages so far: a loaded machine cannot stretch them. */
async function processorSeconds(): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo
    .filter(({ type }) => type === 'renderer')
    .reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** From the click of Run, the load drawn: 20 rates with 5 seeds of twenty minutes of requests. */
async function curve(type: string) {
  const page = await openPage(
    cellText('workload #load', {
      source: { type: 'generator', requests: 6400, ratePerSecond: 5.4 },
    }) +
      cellText('serve #s <- load', { strategy: { type } }) +
      cellText('sweep #r <- s', { findMaximum: false }),
  );
  await page.evaluate(() => {
    const marks: Record<string, number> = {};
    Object.assign(globalThis, { marks });
    const cell = document.querySelector('[data-cell=r]') as HTMLElement;
    const isDone = () => cell.querySelector('[data-state=done]') !== null;
    const isDrawn = () => [...cell.querySelectorAll('svg')].some((svg) => svg.clientWidth > 200);
    const run = [...cell.querySelectorAll('button')].find((b) => b.textContent?.startsWith('Run'));
    const startedAt = performance.now();
    const mark = (name: string) => {
      marks[name] ??= Number(((performance.now() - startedAt) / 1000).toFixed(3));
    };
    const look = () => {
      if (isDrawn()) mark('firstPoints');
      if (isDone()) mark('allPoints');
      else setTimeout(look, 5);
    };
    run?.click();
    look();
  });
  const before = await processorSeconds();
  const until = async (name: string): Promise<number> => {
    await page.waitForFunction(
      (wanted) => wanted in (globalThis as unknown as { marks: object }).marks,
      name,
      { polling: 5, timeout: 300_000 },
    );
    return Number(((await processorSeconds()) - before).toFixed(2));
  };
  const firstPoints = await until('firstPoints');
  const allPoints = await until('allPoints');
  const wallSeconds = await page.evaluate(
    () => (globalThis as unknown as { marks: Record<string, number> }).marks,
  );
  await page.close();
  return { strategy: type, wallSeconds, processorSeconds: { firstPoints, allPoints } };
}

const [load] = loadavg();
console.log(
  JSON.stringify(
    {
      machine: { cores: availableParallelism(), loadAverage: load },
      whatIf: [await sliders('sarathi'), await sliders('vllm'), await sliders('vllm-v1')],
      goodputCurve: [await curve('sarathi'), await curve('vllm'), await curve('vllm-v1')],
    },
    null,
    1,
  ),
);
await browser.close();
