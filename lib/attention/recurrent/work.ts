import { fastSizes } from './fast-weights';
import { mixtureMemories } from './mixture';
import { isDeltaRule, stateRows, tensorElements } from './rule';
import { loraSizes } from './temporal-lora';
import type { RecurrentRule, RecurrentShape, StateRule, TestTimeRule } from './types';

/**
 * Arithmetic of one token of all heads in the recurrent form: per state element a multiply and an
 * add for the write and for the read, two more for what a delta rule's key holds, one for a decay.
 */
export function tokenFlops(rule: StateRule, shape: RecurrentShape): number {
  const isDecayed = !['additive', 'prefix-linear', 'delta'].includes(rule.type);
  const perElement = 4 + (isDeltaRule(rule) ? 2 : 0) + (isDecayed ? 1 : 0);
  return perElement * stateElements(rule, shape);
}

/** Arithmetic of one call in the recurrent form; a prefix is only written, a mixture's unrouted memories not even read. */
export function recurrentFlops(rule: RecurrentRule, shape: RecurrentShape): number {
  if (rule.type === 'mom') {
    const routed = rule.topK + (rule.hasShared ? 1 : 0);
    return routed * recurrentFlops({ type: 'gated-delta' }, shape);
  }
  if (rule.type === 'lmu') {
    // Per state element a row of the system's matrix, the input and the read.
    const { batch, heads, tokens, keySize, valueSize } = shape;
    return batch * heads * tokens * valueSize * keySize * (2 * keySize + 4);
  }
  if (rule.type === 'lact') {
    // Forward for the query; for the pair forward, back through w1, and three outer products.
    const { batch, heads, tokens } = shape;
    const { keySize, hiddenSize, valueSize } = fastSizes(rule, shape);
    return batch * heads * tokens * hiddenSize * (12 * keySize + 6 * valueSize);
  }
  if (rule.type === 'temporal-lora') {
    // A read through both weights; a step reads again and has an outer product for each factor.
    const { batch, heads, tokens } = shape;
    const { keySize, valueSize, rank } = loraSizes(rule, shape);
    const slow = 2 * keySize * valueSize;
    const update = 2 * rank * (keySize + valueSize);
    return batch * heads * tokens * (slow + update + rule.steps * (slow + 3 * update));
  }
  const prefixTokens = rule.type === 'prefix-linear' ? rule.prefixTokens : 0;
  return shape.tokens * tokenFlops(rule, shape) + prefixTokens * 2 * stateElements(rule, shape);
}

function stateElements(rule: StateRule, shape: RecurrentShape): number {
  return shape.batch * shape.heads * stateRows(rule, shape) * shape.keySize;
}

/** Bytes of f32 tensors that a call must read and write at least once: inputs, gates and output. */
export function recurrentBytes(
  rule: Exclude<RecurrentRule, TestTimeRule>,
  shape: RecurrentShape,
): number {
  if (rule.type === 'mom') {
    return recurrentBytes(
      { type: 'gated-delta' },
      { ...shape, batch: shape.batch * mixtureMemories(rule) },
    );
  }
  if (rule.type === 'lmu') {
    const { batch, heads, tokens, keySize, valueSize } = shape;
    return 4 * batch * heads * tokens * (keySize + 2 * valueSize);
  }
  const elements = Object.values(tensorElements(rule, shape)).reduce((sum, each) => sum + each, 0);
  return 4 * (elements + shape.batch * shape.heads * shape.tokens * shape.valueSize);
}
