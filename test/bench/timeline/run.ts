import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright';
import { BROWSER_FLAGS, findBrowser } from '../../../lib/tools/find-browser.mjs';
import { OUT } from '../../../lib/tools/paths.mjs';
import { startStaticServer } from '../../../lib/tools/static-server.mjs';
import { processorSeconds, processTree } from '../../browser/processor-time.mjs';

// Frames of the timeline while it pans and zooms over a run of a million iterations, in the page as
// it is built, without a GPU. `npx tsx test/bench/timeline/run.ts`; one JSON document on standard output.
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    requests: { type: 'string', default: '21000' },
    replicas: { type: 'string', default: '16' },
    rate: { type: 'string', default: '30' },
    frames: { type: 'string', default: '180' },
  },
});

const DOCUMENT = `\`\`\`cell workload #load
${JSON.stringify({ source: { type: 'generator', requests: Number(values.requests), ratePerSecond: Number(values.rate) } })}
\`\`\`
\`\`\`cell serve #s <- load
${JSON.stringify({ strategy: { type: 'sarathi', replicas: Number(values.replicas) } })}
\`\`\`
\`\`\`cell timeline #lanes <- s
{}
\`\`\`
`;

interface Frames {
  /** Milliseconds from frame to frame, as the browser calls for them. */
  readonly intervals: readonly number[];
  /** Milliseconds of script, style and paint calls in each frame, from input to the end of its draw. */
  readonly work: readonly number[];
}

/** Sends one wheel event per frame over the canvas of the timeline. */
function drive(page: Page, kind: 'pan' | 'zoom', frames: number): Promise<Frames> {
  return page.evaluate(
    async ({ kind, frames }) => {
      const canvas = document.querySelector('[data-cell="lanes"] [role=application] canvas');
      if (canvas === null) throw new Error('no timeline');
      const rect = canvas.getBoundingClientRect();
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const intervals: number[] = [];
      const work: number[] = [];
      const pointer = (type: string, x: number, shift: boolean) =>
        canvas.dispatchEvent(
          new PointerEvent(type, {
            bubbles: true,
            pointerId: 1,
            clientX: rect.left + x,
            clientY: rect.top + 60,
            buttons: 1,
            shiftKey: shift,
          }),
        );
      Element.prototype.setPointerCapture = () => undefined;
      const middle = rect.width / 2;
      if (kind === 'pan') pointer('pointerdown', middle, true);
      let last = await frame();
      for (let i = 0; i < frames; i++) {
        const startedAt = performance.now();
        if (kind === 'zoom') {
          const delta = i % 90 < 45 ? -100 : 100;
          canvas.dispatchEvent(
            new WheelEvent('wheel', {
              bubbles: true,
              cancelable: true,
              ctrlKey: true,
              deltaY: delta,
              clientX: rect.left + middle,
              clientY: rect.top + 60,
            }),
          );
        } else pointer('pointermove', middle + 240 * Math.sin(i / 12), true);
        const now = await frame();
        // A task after the frame's callbacks: what they did is in the time.
        await new Promise<void>((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve();
          port2.postMessage(0);
        });
        work.push(performance.now() - Math.max(startedAt, now));
        intervals.push(now - last);
        last = now;
      }
      if (kind === 'pan') pointer('pointerup', middle, true);
      return { intervals, work };
    },
    { kind, frames },
  );
}

/** Processes of the browser that show pages. */
function renderers(): readonly number[] {
  return processTree(process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer');
    } catch {
      return false;
    }
  });
}

/** Processor milliseconds of the busiest page's main thread, which other work on the machine does not move. */
function mainThreads(): ReadonlyMap<number, number> {
  return new Map(
    renderers().flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8');
        return [[pid, Number(text.split(' ')[0]) / 1e6] as const];
      } catch {
        return [];
      }
    }),
  );
}

const browserMilliseconds = (): number =>
  1000 * (processorSeconds(processTree(process.pid).filter((pid) => pid !== process.pid)) ?? 0);

function summary(samples: readonly number[]) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) =>
    Number(
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(2),
    );
  return { p50: at(0.5), p95: at(0.95), worst: at(1) };
}

const server = values.url === undefined ? await startStaticServer(OUT, { port: 0 }) : undefined;
const executablePath = await findBrowser();
const browser = await chromium.launch({
  ...(executablePath === undefined ? {} : { executablePath }),
  args: [...BROWSER_FLAGS, '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
  // The compiler of this script names its functions by a helper that the page lacks.
  await page.addInitScript('globalThis.__name = (value) => value');
  await page.goto(values.url ?? server?.url ?? '');
  await page.locator('[data-cell]').first().waitFor();
  await page.locator('header input[type=file]').setInputFiles({
    name: 'run.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from(DOCUMENT),
  });
  await page.locator('[data-cell=s]').waitFor();
  await page.locator('[data-cell=s] button', { hasText: /^Run/ }).click();
  await page.locator('[data-cell=lanes] [role=application] canvas').waitFor({ timeout: 300_000 });
  const completed = await page.locator('[data-cell=s]').innerText();
  const timeline = page.locator('[data-cell=lanes] [role=application]').first();
  await timeline.scrollIntoViewIfNeeded();
  const results: Record<string, object> = {};
  const frames = Number(values.frames);
  const idle = await page.evaluate(async () => {
    const times: number[] = [];
    for (let i = 0; i < 60; i++)
      times.push(await new Promise<number>((resolve) => requestAnimationFrame(resolve)));
    return times.slice(1).map((time, i) => time - (times[i] as number));
  });
  results.idle = { intervalMilliseconds: summary(idle) };
  const measure = async (name: string, kind: 'pan' | 'zoom') => {
    const before = mainThreads();
    const allBefore = browserMilliseconds();
    const { intervals, work } = await drive(page, kind, frames);
    const all = browserMilliseconds() - allBefore;
    const main = Math.max(
      ...[...mainThreads()].map(([pid, now]) => now - (before.get(pid) ?? now)),
    );
    results[name] = {
      intervalMilliseconds: summary(intervals),
      workMilliseconds: summary(work),
      /** Mean per frame: 16.7 of the main thread is what 60 frames a second leave. */
      mainThreadProcessorMilliseconds: Number((main / frames).toFixed(2)),
      allProcessesProcessorMilliseconds: Number((all / frames).toFixed(2)),
      framesPerSecond: Number(
        (1000 / (intervals.reduce((a, b) => a + b, 0) / intervals.length)).toFixed(1),
      ),
    };
  };
  await measure('zoom from the whole run', 'zoom');
  await page.locator('[data-cell=lanes] button', { hasText: 'Whole' }).click();
  await timeline.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('w');
  await measure('pan over a third', 'pan');
  for (let i = 0; i < 10; i++) await page.keyboard.press('w');
  await measure('pan over a hundredth', 'pan');
  const report = {
    iterations: /(\d+) iterations/.exec(completed)?.[1],
    replicas: Number(values.replicas),
    viewport: '1600 x 900',
    /** Above the number of cores, intervals are those of a shared machine; processor times are not. */
    loadAverage: loadavg()[0],
    results,
  };
  mkdirSync('test-results', { recursive: true });
  writeFileSync('test-results/bench-timeline.json', JSON.stringify(report, null, 1));
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
} finally {
  await browser.close();
  await server?.close();
}
