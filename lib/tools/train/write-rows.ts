/**
 * Writes training rows to standard output for ever: for each row its tokens and then the loss class
 * of each token, one byte each. The trainer reads them through a pipe, so the tasks a model is
 * trained on and the tasks it is judged on come from one place.
 *
 *     tsx lib/tools/train/write-rows.ts STAGE SEED [recall|sibling]
 */
import { createRandom } from '../../random/random';
import { SIBLING_STAGES } from '../../tasks/sibling-mix';
import { layOut, STAGES } from '../../tasks/training-mix';

const stageIndex = Number(process.argv[2]);
const seed = Number(process.argv[3]);
const stages = new Map([
  ['recall', STAGES],
  ['sibling', SIBLING_STAGES],
]).get(process.argv[4] ?? 'recall');
const stage = stages?.[stageIndex];
if (stage === undefined || !Number.isInteger(seed)) {
  process.stderr.write(
    `invalid arguments: ${process.argv.slice(2).join(' ')} (expected a stage, a seed and recall or sibling)\n`,
  );
  process.exit(2);
}
process.stdout.on('error', () => process.exit(0));

const random = createRandom(seed * 1000 + stageIndex);
const rowsPerWrite = 64;
function writeMore(): void {
  for (;;) {
    const buffer = new Uint8Array(rowsPerWrite * 2 * stage!.rowTokens);
    for (let row = 0; row < rowsPerWrite; row++) {
      const { tokens, lossClass } = layOut(stage!.sample(random), stage!.rowTokens);
      buffer.set(tokens, row * 2 * stage!.rowTokens);
      buffer.set(lossClass, (row * 2 + 1) * stage!.rowTokens);
    }
    if (!process.stdout.write(buffer)) break;
  }
  process.stdout.once('drain', writeMore);
}
writeMore();
