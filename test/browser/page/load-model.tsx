import '../../../app/globals.css';
import { createRoot } from 'react-dom/client';
import { LoadModel } from '../../../app/parts/load-model';
import type { OnLoad } from '../../../app/parts/use-model-loading';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { decodeGreedy, prefill } from '../../../lib/transformer/generate';
import { openSource } from '../../../lib/transformer/load/source';
import { referenceTransformer } from '../../../lib/transformer/reference';
import { fetchRange } from '../../../workers/model-fetch';

const outcome = document.createElement('output');
const root = document.createElement('main');
document.body.append(root, outcome);
document.body.style.padding = '1rem';

/** What a host does: opens the source again, loads it, and lets the model speak. */
const onLoad: OnLoad = async (source, { signal, onProgress }) => {
  const opened = await openSource(source, { signal, fetchRange });
  const weights = await opened.load({ signal, onProgress });
  const tokenizer = await opened.tokenizer();
  const model = referenceTransformer(opened.config, weights);
  const cache = createFullCache(opened.config);
  const prompt = tokenizer.encode('paris : 10 ; oslo : 11 ; paris ?');
  const logits = prefill(model, cache, prompt, 0);
  const tokens = decodeGreedy(model, cache, logits, prompt.length, 4, new Set());
  outcome.textContent = tokenizer.decode(tokens);
};

createRoot(root).render(<LoadModel onLoad={onLoad} fetchRange={fetchRange} />);
