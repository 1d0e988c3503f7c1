/**
 * One scheduled step: requests, their tokens, and what it emits. Reused, never kept. Members of the
 * decode set are in it as a number; the others are entries, in the order of `running`.
 */
export interface Step {
  /** Its place among the steps that were formed, from 1. */
  number: number;
  /** Members of the decode set, one token each. */
  decodes: number;
  /** Tokens of their contexts, the ones being fed included: the sum, and the least and most. */
  decodeContextTokens: number;
  decodeContextMin: number;
  decodeContextMax: number;
  /** Those of them that this step completes, and the step at which each joined the set. */
  lastCount: number;
  readonly lastIds: number[];
  readonly lastFirstSteps: number[];
  /** Entries. */
  count: number;
  tokenCount: number;
  ids: Int32Array;
  tokens: Int32Array;
  /** Tokens computed before this step, by place in the step. */
  contexts: Int32Array;
  /** 1 where the step's end emits a token of the request. */
  emits: Uint8Array;
  startSeconds: number;
  endSeconds: number;
  clear(): void;
  add(id: number, tokens: number): void;
  /** Takes a request out again; false if it is not in the step. */
  remove(id: number): boolean;
}

export function createStep(): Step {
  const step: Step = {
    number: 0,
    decodes: 0,
    decodeContextTokens: 0,
    decodeContextMin: 0,
    decodeContextMax: 0,
    lastCount: 0,
    lastIds: [],
    lastFirstSteps: [],
    count: 0,
    tokenCount: 0,
    ids: new Int32Array(64),
    tokens: new Int32Array(64),
    contexts: new Int32Array(64),
    emits: new Uint8Array(64),
    startSeconds: 0,
    endSeconds: 0,
    clear() {
      step.decodes = 0;
      step.lastCount = 0;
      step.count = 0;
      step.tokenCount = 0;
    },
    add(id, tokens) {
      if (step.count === step.ids.length) {
        const size = step.count * 2;
        const larger = (column: Int32Array): Int32Array => {
          const copy = new Int32Array(size);
          copy.set(column);
          return copy;
        };
        step.ids = larger(step.ids);
        step.tokens = larger(step.tokens);
        step.contexts = larger(step.contexts);
        const emits = new Uint8Array(size);
        emits.set(step.emits);
        step.emits = emits;
      }
      step.ids[step.count] = id;
      step.tokens[step.count++] = tokens;
      step.tokenCount += tokens;
    },
    remove(id) {
      const at = step.ids.subarray(0, step.count).indexOf(id);
      if (at < 0) return false;
      step.tokenCount -= step.tokens[at] as number;
      step.ids.copyWithin(at, at + 1, step.count);
      step.tokens.copyWithin(at, at + 1, step.count);
      step.count--;
      return true;
    },
  };
  return step;
}
