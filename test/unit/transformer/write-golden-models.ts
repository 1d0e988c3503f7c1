import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_MODELS, GOLDEN_TOKENS } from './golden-models';
import { tinyFiles, tinyTensors } from './tiny-model';

// Usage: tsx test/unit/transformer/write-golden-models.ts FOLDER
// then:  python3 lib/tools/train/golden_logits.py FOLDER > test/fixtures/golden-logits.json
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: write-golden-models.ts FOLDER');
  process.exit(2);
}
for (const [name, config] of Object.entries(GOLDEN_MODELS)) {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [file, blob] of tinyFiles({ config, tensors: tinyTensors(config) })) {
    writeFileSync(join(folder, name, file), new Uint8Array(await blob.arrayBuffer()));
  }
}
writeFileSync(join(folder, 'tokens.json'), JSON.stringify(GOLDEN_TOKENS));
