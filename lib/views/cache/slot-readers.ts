import type { CacheHead } from '../../evaluate/cache-head';
import { UNSEEN, UNTOLD } from '../../evaluate/cache-steps';
import { SLOT_STATES } from '../../evaluate/look';

const DROPPED = SLOT_STATES.indexOf('dropped');

/** A query that attends to a token. */
export interface SlotReader {
  readonly query: number;
  readonly head: number;
  readonly label: string;
  readonly part: 'context' | 'question' | 'answer';
  /** Of the full cache. */
  readonly weight: number;
  /** The policy had dropped the token when this query came. */
  readonly isCutOff: boolean;
}

/** Who attends to one token, over all steps and over the query heads that share its KV head. */
export interface SlotReaders {
  /** Strongest first; at most as many as asked for. The token itself is not among them. */
  readonly strongest: readonly SlotReader[];
  /** Weights of all queries after the token, summed. */
  readonly mass: number;
  /** Of that, from queries that came when the token was dropped. */
  readonly cutOffMass: number;
}

function partOf({ contextTokens, questionTokens }: CacheHead, query: number): SlotReader['part'] {
  if (query < contextTokens) return 'context';
  return query < contextTokens + questionTokens ? 'question' : 'answer';
}

export function readersOf(cache: CacheHead, key: number, count: number): SlotReaders {
  const { labels, states, attention, group, firstHead } = cache;
  const tokens = labels.length;
  const all: SlotReader[] = [];
  let mass = 0;
  let cutOffMass = 0;
  for (let head = 0; head < group; head++) {
    for (let query = key + 1; query < tokens; query++) {
      const weight = attention[(head * tokens + query) * tokens + key] as number;
      const isCutOff = states[query * tokens + key] === DROPPED;
      mass += weight;
      if (isCutOff) cutOffMass += weight;
      all.push({
        query,
        head: firstHead + head,
        label: labels[query] as string,
        part: partOf(cache, query),
        weight,
        isCutOff,
      });
    }
  }
  all.sort((a, b) => b.weight - a.weight);
  return { strongest: all.slice(0, count), mass, cutOffMass };
}

/** A slot over the steps: what it was, from which query on. */
export interface SlotPhase {
  /** Index into `SLOT_STATES`, or `UNTOLD`. */
  readonly state: number;
  readonly fromQuery: number;
}

/** States of a token from its own step to the last, each from the query that first met it so. */
export function phasesOf({ labels, states }: CacheHead, key: number): readonly SlotPhase[] {
  const tokens = labels.length;
  const phases: SlotPhase[] = [];
  for (let query = key; query < tokens; query++) {
    const state = states[query * tokens + key] as number;
    if (state !== UNSEEN && state !== phases.at(-1)?.state)
      phases.push({ state, fromQuery: query });
  }
  return phases;
}

/** `kept from token 14 on, dropped from 64 on (the question begins)`. */
export function phasesText(cache: CacheHead, key: number): string {
  const { contextTokens, questionTokens } = cache;
  const places = new Map([
    [contextTokens, ' (the question begins)'],
    [contextTokens + questionTokens, ' (the answer begins)'],
  ]);
  return phasesOf(cache, key)
    .map(({ state, fromQuery }) => {
      const name = state === UNTOLD ? 'encoded apart' : (SLOT_STATES[state] ?? 'dropped');
      return `${name} from token ${fromQuery} on${places.get(fromQuery) ?? ''}`;
    })
    .join(', ');
}
