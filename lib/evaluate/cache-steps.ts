import type { CacheSession, Protocol } from '../cache/types';
import type { TaskSample } from '../tasks/types';
import { END } from '../tasks/vocabulary';
import type { AttentionCache, ForwardStep, Transformer } from '../transformer/types';
import { SLOT_STATES, SPARE_TOKENS } from './look';

/** A query does not see the key: it comes later in the text. */
export const UNSEEN = 255;
/** The token never ran as a query at its place in the text: chunks that were encoded apart, an earlier text. */
export const UNTOLD = 254;

const KEPT = SLOT_STATES.indexOf('kept');
const DROPPED = SLOT_STATES.indexOf('dropped');

/** What every query of a context, its question and the answer could see of the tokens before it. */
export interface CacheSteps {
  /** Context, question and what was written, as far as it ran through the model. */
  readonly tokens: readonly number[];
  readonly contextTokens: number;
  readonly questionTokens: number;
  /** Index into `SLOT_STATES`, `UNSEEN` or `UNTOLD`: [layers, kvHeads, tokens, tokens], queries by keys. */
  readonly states: Uint8Array;
}

/** Watches the caches that a model runs over. */
interface Watcher {
  readonly model: Transformer;
  /** Where there is one, told of every part that queries attend to, and of the rows before. */
  listener: StepListener | undefined;
}

interface StepListener {
  ran(step: ForwardStep): void;
  attends(layer: number, kvHead: number, queries: ArrayLike<number>, keys: Int32Array): void;
}

const watchers = new WeakMap<Transformer, Watcher>();

/** The watcher of a model, one each: what a policy has fitted to a model stays its own. */
function watcherOf(inner: Transformer): Watcher {
  const known = watchers.get(inner);
  if (known !== undefined) return known;
  const watcher: Watcher = {
    listener: undefined,
    model: {
      ...inner,
      forward(step) {
        const { listener } = watcher;
        if (listener === undefined) return inner.forward(step);
        listener.ran(step);
        return inner.forward({ ...step, cache: watched(step.cache, listener) });
      },
    },
  };
  watchers.set(inner, watcher);
  return watcher;
}

function watched(cache: AttentionCache, listener: StepListener): AttentionCache {
  let rows: Int32Array = new Int32Array(0);
  const { observe } = cache;
  return {
    append(layer, projected) {
      rows = projected.positions;
      cache.append(layer, projected);
    },
    queryIndex: (layer, kvHead, position) => cache.queryIndex(layer, kvHead, position),
    parts(layer, kvHead, query) {
      const parts = cache.parts(layer, kvHead, query);
      const queries = query === undefined ? rows : [query.position];
      for (const { positions } of parts) listener.attends(layer, kvHead, queries, positions);
      return parts;
    },
    get perQuery() {
      return cache.perQuery;
    },
    ...(observe && { observe: (attended) => observe.call(cache, attended) }),
  };
}

/**
 * Runs the first question of a sample through a session and tells for every query which slots it was
 * given, and as what. A position that runs more than once counts as it ran last: with the protocol
 * `known` a question is run again over what is left.
 *
 * @param open makes the session over the model that it is given
 */
export function stepsOfCache(
  model: Transformer,
  open: (model: Transformer) => CacheSession,
  { context, turns, chunkStarts, edit }: TaskSample,
  protocol: Protocol,
): CacheSteps {
  const { layers, kvHeads } = model.config;
  const question = turns[0]?.question ?? [];
  const answer = turns[0]?.answer ?? [];
  const room = context.length + question.length + answer.length + SPARE_TOKENS;
  const known = [...context, ...question];
  const ran = new Array<number | undefined>(room).fill(undefined);
  const states = new Uint8Array(layers * kvHeads * room * room).fill(UNTOLD);
  /** What slots are at this step; whatever is seen and not among them is kept. */
  let slotStates: Map<number, number>[] = [];

  const watcher = watcherOf(model);
  const session = open(watcher.model);
  const readSlots = () => {
    slotStates = Array.from({ length: layers * kvHeads }, (_, head) => {
      const slots = session.slots(Math.floor(head / kvHeads), head % kvHeads);
      return new Map(slots.map(({ position, state }) => [position, SLOT_STATES.indexOf(state)]));
    });
  };
  let isAsking = false;
  /** Rows of this run, where it is of the text: not of chunks encoded apart, or of a classifier's texts. */
  let places = new Set<number>();
  /** Heads and queries of this run that earlier parts of theirs have been told of. */
  let begun = new Set<number>();

  watcher.listener = {
    ran({ tokens, positions }) {
      if (isAsking) readSlots();
      places = new Set();
      begun = new Set();
      const isOfText = Array.from(positions).every(
        (at, i) => (at >= known.length && isAsking && at < room) || known[at] === tokens[i],
      );
      if (!isOfText) return;
      for (let i = 0; i < positions.length; i++) {
        ran[positions[i] as number] = tokens[i] as number;
        places.add(positions[i] as number);
      }
    },
    attends(layer, kvHead, queries, keys) {
      const head = layer * kvHeads + kvHead;
      const own = slotStates[head];
      for (let q = 0; q < queries.length; q++) {
        const query = queries[q] as number;
        if (!places.has(query)) continue;
        const start = (head * room + query) * room;
        if (!begun.has(head * room + query)) {
          begun.add(head * room + query);
          states.fill(DROPPED, start, start + query + 1);
          states.fill(UNSEEN, start + query + 1, start + room);
        }
        for (const key of keys) {
          if (key <= query) states[start + key] = own?.get(key) ?? KEPT;
        }
      }
    },
  };
  try {
    session.prefill(context, {
      ...(protocol === 'known' && turns[0] ? { question } : {}),
      ...(chunkStarts ? { chunkStarts } : {}),
      ...(edit ? { edit } : {}),
    });
    isAsking = true;
    if (turns[0]) session.ask(question, answer.length + SPARE_TOKENS, new Set([END]));
  } finally {
    watcher.listener = undefined;
  }
  const written = ran.slice(known.length);
  const end = written.indexOf(undefined);
  const tokens = [...known, ...(end < 0 ? written : written.slice(0, end))] as number[];
  return {
    tokens,
    contextTokens: context.length,
    questionTokens: question.length,
    states: cropped(states, layers * kvHeads, room, tokens.length),
  };
}

/** The first `size` queries and keys of every head. */
function cropped(states: Uint8Array, heads: number, room: number, size: number): Uint8Array {
  const out = new Uint8Array(heads * size * size);
  for (let row = 0; row < heads * size; row++) {
    const from = (Math.floor(row / size) * room + (row % size)) * room;
    out.set(states.subarray(from, from + size), row * size);
  }
  return out;
}
