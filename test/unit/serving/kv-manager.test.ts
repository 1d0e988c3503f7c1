import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentTreeOf } from '../../../lib/serving/vllm-v1/content-tree';
import { createKvManager, type KvManager } from '../../../lib/serving/vllm-v1/kv-manager';
import { contentOf } from './content-of';
import { createPlainKv, type PlainKv } from './plain-kv';

describe('KV manager', () => {
  const prompt = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const totals = Int32Array.of(9, 9, 40);
  const contents = contentTreeOf(contentOf([prompt, prompt, []]), 3, 4);

  it('evicts the end of a prefix before its beginning', () => {
    const kv = createKvManager(3, 4, contents, totals);
    expect(kv.allocate(0, 0, 9, true, 0)).toBe(true);
    kv.index(0, 9);
    kv.free(0);
    // 3 blocks released, the last first; one is taken by another request.
    expect(kv.findPrefix(2, 4)).toBe(0);
    expect(kv.allocate(2, 0, 4, true, 0)).toBe(true);
    expect(kv.findPrefix(1, 9)).toBe(8);
    kv.free(2);
    expect(kv.findPrefix(1, 8)).toBe(4);
  });

  it('counts hits that nobody holds as taken, and changes nothing when it refuses', () => {
    const kv = createKvManager(3, 4, contents, totals);
    kv.findPrefix(0, 9);
    kv.allocate(0, 0, 8, true, 0);
    kv.index(0, 8);
    kv.free(0);
    expect(kv.findPrefix(1, 9)).toBe(8);
    expect(kv.allocate(1, 8, 5, true, 0)).toBe(false);
    expect(kv.pool.freeCount).toBe(3);
    expect(kv.findPrefix(1, 9)).toBe(8);
    expect(kv.allocate(1, 8, 1, true, 13)).toBe(false);
    expect(kv.findPrefix(1, 9)).toBe(8);
    expect(kv.allocate(1, 8, 1, true, 9)).toBe(true);
    expect(kv.pool.freeCount).toBe(0);
  });

  it('finds nothing when caching is off', () => {
    const kv = createKvManager(4, 4, undefined, totals);
    kv.allocate(0, 0, 8, true, 0);
    kv.index(0, 8);
    expect(kv.findPrefix(1, 9)).toBe(0);
  });

  it('finds what a preempted request alone has again, as long as it is in memory', () => {
    const kv = createKvManager(12, 4, contents, totals);
    kv.findPrefix(2, 40);
    kv.allocate(2, 0, 38, true, 0);
    // Nobody else has its tokens, so they are named only when it leaves.
    kv.index(2, 38);
    expect(kv.findPrefix(2, 40)).toBe(0);
    kv.indexOwn(2, 38);
    kv.free(2);
    expect(kv.findPrefix(2, 40)).toBe(36);
    kv.findPrefix(0, 9);
    // Two were never used, one had no content, and one more is needed.
    kv.allocate(0, 0, 16, true, 0);
    expect(kv.findPrefix(2, 40)).toBe(32);
  });
});

/** One way to use a request's blocks, whether it has any or not. */
interface Call {
  readonly kind: number;
  readonly id: number;
  readonly tokens: number;
  readonly reserve: boolean;
}

interface Both {
  readonly kv: KvManager;
  readonly plain: PlainKv;
  /** Tokens of the requests that have blocks. */
  readonly held: Map<number, number>;
  /** Those that are complete: they never ask again. */
  readonly gone: Set<number>;
}

function admit(
  { kv, plain, held, gone }: Both,
  { id, tokens, reserve }: Call,
  requests: number,
): void {
  const hit = kv.findPrefix(id, tokens);
  expect(hit).toBe(plain.find(id, tokens));
  const known = reserve ? tokens : 0;
  const end = Math.min(tokens, hit + 20);
  const isIn = kv.allocate(id, hit, end - hit, true, known);
  expect(isIn).toBe(plain.admit(id, tokens, end, known));
  if (isIn) held.set(id, end);
  // What is said to stay refused is refused, whatever happened in between.
  for (let other = 0; other < requests; other++) {
    if (!kv.isStillRefused(other, tokens)) continue;
    if (held.has(other) || gone.has(other)) continue;
    const found = plain.find(other, tokens);
    expect(plain.admit(other, tokens, Math.min(tokens, found + 1), tokens)).toBe(false);
  }
}

function use({ kv, plain, held, gone }: Both, { kind, id, tokens }: Call, size: number): void {
  const has = held.get(id) as number;
  const some = Math.min(has, tokens);
  if (kind <= 1) {
    // 1: preempted, so that it may find all of its blocks again.
    if (kind === 1) {
      kv.indexOwn(id, has);
      plain.name(id, has, true);
    } else gone.add(id);
    kv.free(id);
    plain.free(id);
    held.delete(id);
  } else if (kind === 2) {
    kv.index(id, some);
    plain.name(id, some, false);
  } else if (kind === 3) {
    if (!kv.indexSimply(id, some)) kv.index(id, some);
    plain.name(id, some, false);
  } else if (kind === 4 && has % size === 0 && kv.pool.freeCount > 0) {
    // As a request that decodes gets its blocks.
    kv.pool.take(1);
    kv.setSlots(id, has + 1);
    expect(plain.extend(id, has + 1)).toBe(true);
    held.set(id, has + 1);
  } else if (tokens > has) {
    const isIn = kv.allocate(id, has, tokens - has, false, 0);
    expect(isIn).toBe(plain.extend(id, tokens));
    if (isIn) held.set(id, tokens);
  }
}

describe('KV manager and single blocks agree on any sequence of calls', () => {
  const requests = 12;
  const most = 60;
  const text = fc.record({
    text: fc.integer({ min: 0, max: 1 }),
    /** Where the two ways on from the same beginning part, and where a request is alone. */
    fork: fc.nat(most),
    way: fc.integer({ min: 0, max: 1 }),
    shared: fc.nat(most),
    known: fc.nat(most),
  });
  const call = fc.record({
    kind: fc.constantFrom(0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5),
    id: fc.nat(requests - 1),
    tokens: fc.integer({ min: 1, max: most }),
    reserve: fc.boolean(),
  });
  const texts = fc.array(text, { minLength: requests, maxLength: requests });
  const calls = fc.array(call, { minLength: 50, maxLength: 300 });
  const total = fc.integer({ min: 8, max: 40 });

  /** Tokens that one id stands for, and tokens of a block. */
  for (const [tokensPerId, size] of [
    [1, 1],
    [1, 4],
    [8, 4],
  ] as const) {
    it(`with ${tokensPerId} tokens to an id and blocks of ${size}`, () => {
      fc.assert(
        fc.property(texts, calls, total, (drawn, made, blocks) => {
          const ids = drawn.map(({ text, fork, way, shared, known }, id) =>
            Array.from({ length: Math.floor(known / tokensPerId) }, (_, i) => {
              if (i * tokensPerId >= shared) return 1000 * (id + 1) + i;
              return 100 * text + (i * tokensPerId < fork ? 0 : 200 * (way + 1)) + i;
            }),
          );
          const tokens = ids.map((row) =>
            row.flatMap((each) => Array.from({ length: tokensPerId }, (_, i) => 8 * each + i)),
          );
          const lengths = new Int32Array(requests).fill(most);
          const tree = contentTreeOf(contentOf(ids, tokensPerId), requests, size);
          const both: Both = {
            kv: createKvManager(blocks, size, tree, lengths),
            plain: createPlainKv(blocks, size, tokens),
            held: new Map(),
            gone: new Set(),
          };
          for (const each of made) {
            if (both.gone.has(each.id)) continue;
            if (both.held.has(each.id)) use(both, each, size);
            else admit(both, each, requests);
            expect(both.kv.pool.freeCount).toBe(both.plain.freeCount);
            for (let other = 0; other < requests; other++) {
              if (both.held.has(other) || both.gone.has(other)) continue;
              expect(both.kv.findPrefix(other, most)).toBe(both.plain.find(other, most));
            }
          }
        }),
        { numRuns: 80 },
      );
    });
  }
});
