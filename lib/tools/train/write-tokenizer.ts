import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wordTokenizerJson } from '../../transformer/load/word-tokenizer';

// Usage: tsx lib/tools/train/write-tokenizer.ts FOLDER: writes the trained models' tokenizer.json there.
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: write-tokenizer.ts FOLDER');
  process.exit(2);
}
writeFileSync(join(folder, 'tokenizer.json'), `${JSON.stringify(wordTokenizerJson(), null, 1)}\n`);
