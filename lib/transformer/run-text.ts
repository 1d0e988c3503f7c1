import { createFullCache } from './full-cache';
import { argMax } from './generate';
import type { ForwardStep, Transformer } from './types';

/** Likeliest next tokens that are kept. */
const NEXT_TOKENS = 5;

export interface TextRun {
  /** Prompt, then generated tokens. */
  readonly tokens: Int32Array;
  readonly surprisalNats: Float32Array;
  /** After the prompt, likeliest first. */
  readonly next: readonly { readonly token: number; readonly probability: number }[];
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
}

/** ln of the sum of exponentials. */
function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - largest);
  return largest + Math.log(total);
}

function likeliest(logits: Float32Array): TextRun['next'] {
  const norm = logSumExp(logits);
  return Array.from(logits, (logit, token) => ({ token, probability: Math.exp(logit - norm) }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, NEXT_TOKENS);
}

export interface TextRunOptions {
  /** In milliseconds. */
  readonly now: () => number;
  /** Told the share done between chunks and between tokens; waited for, so that a worker can look at its mailbox. */
  readonly onShare: (share: number) => Promise<void>;
  readonly chunkTokens?: number;
}

/** Reads a prompt in chunks and writes greedily after it, by the model's `forwardAsync` where it has one. */
export async function runText(
  model: Transformer,
  prompt: readonly number[],
  newTokens: number,
  { now, onShare, chunkTokens = 64 }: TextRunOptions,
): Promise<TextRun> {
  const cache = createFullCache(model.config);
  const { vocabularySize, eosTokens } = model.config;
  const tokens = [...prompt];
  const surprisal = [Number.NaN];
  let last: Float32Array = new Float32Array(0);
  let prefillSeconds = 0;
  for (let at = 0; at < prompt.length; at += chunkTokens) {
    const chunk = prompt.slice(at, at + chunkTokens);
    const started = now();
    const step: ForwardStep = {
      tokens: chunk,
      positions: chunk.map((_, i) => at + i),
      cache,
      logits: 'all',
    };
    const { logits } = await (model.forwardAsync?.(step) ?? model.forward(step));
    prefillSeconds += (now() - started) / 1000;
    for (let row = 0; row < chunk.length; row++) {
      last = logits.subarray(row * vocabularySize, (row + 1) * vocabularySize);
      const next = prompt[at + row + 1];
      if (next !== undefined) surprisal.push(logSumExp(last) - last[next]!);
    }
    await onShare((at + chunk.length) / (prompt.length + newTokens));
  }
  const next = likeliest(last);
  const stop = new Set(eosTokens);
  let decodeSeconds = 0;
  for (let i = 0; i < newTokens; i++) {
    const token = argMax(last);
    tokens.push(token);
    surprisal.push(logSumExp(last) - last[token]!);
    if (stop.has(token) || i + 1 === newTokens) break;
    const started = now();
    const step: ForwardStep = { tokens: [token], positions: [prompt.length + i], cache };
    last = (await (model.forwardAsync?.(step) ?? model.forward(step))).logits;
    decodeSeconds += (now() - started) / 1000;
    await onShare((prompt.length + i + 1) / (prompt.length + newTokens));
  }
  return {
    tokens: Int32Array.from(tokens),
    surprisalNats: Float32Array.from(surprisal),
    next,
    prefillSeconds,
    decodeSeconds,
  };
}
