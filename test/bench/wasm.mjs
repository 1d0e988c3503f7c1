import { tsImport } from 'tsx/esm/api';

// `node test/bench/wasm.mjs`: WebAssembly attention on one thread, H = 4, D = 64, as one JSON line.
const load = (path) => tsImport(`../../lib/${path}`, import.meta.url);
const { BLOCK_KEYS, BLOCK_QUERIES, createWasmAttention } = await load('wasm/attention.ts');
const { makeInputs } = await load('attention/inputs.ts');
const { compareOutputs } = await load('attention/compare.ts');
const { attentionParams } = await load('spec/kinds/attention.ts');

const PREFILL = [256, 512, 1024, 2048];
const DECODE = [1024, 4096, 16_384];
const HEADS = 4;
const WARMUP_RUNS = 5;
const LEAST_SECONDS = 0.5;

/** Median wall and mean processor milliseconds of one call of `action`. */
function measure(action) {
  for (let i = 0; i < WARMUP_RUNS; i++) action();
  const wall = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  while (performance.now() - start < 1000 * LEAST_SECONDS) {
    const before = performance.now();
    action();
    wall.push(performance.now() - before);
  }
  const { user, system } = process.cpuUsage(cpu);
  wall.sort((a, b) => a - b);
  return { wall: wall[wall.length >> 1], processor: (user + system) / 1000 / wall.length };
}

/** Key blocks of a causal query block: the full ones, then those that the diagonal cuts. */
function causalBlocks(queries, keys, queryBlock) {
  const first = keys - queries + queryBlock * BLOCK_QUERIES;
  const last = Math.min(keys, first + BLOCK_QUERIES, keys) - 1;
  const count = Math.floor(last / BLOCK_KEYS) + 1;
  const fullCount = Math.floor((first + 1) / BLOCK_KEYS);
  return { blocks: Uint32Array.from({ length: count }, (_, i) => i), fullCount };
}

function bench(queries, keys) {
  const shape = { batch: 1, queryHeads: HEADS, kvHeads: HEADS, queries, keys, headSize: 64 };
  const inputs = makeInputs(attentionParams.parse({ shape, seed: 3 }));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  const modify = (pointer, _batch, _head, firstRow, firstKey) => {
    const tile = new Float32Array(memory.buffer, pointer, BLOCK_QUERIES * BLOCK_KEYS);
    for (let i = 0; i < BLOCK_QUERIES; i++) {
      const seen = keys - queries + firstRow + i + 1 - firstKey;
      if (seen < BLOCK_KEYS)
        tile.fill(-3e38, i * BLOCK_KEYS + Math.max(0, seen), (i + 1) * BLOCK_KEYS);
    }
  };
  const attention = createWasmAttention({ memory, modify });
  const queryBlocks = Array.from({ length: Math.ceil(queries / BLOCK_QUERIES) }, (_, i) =>
    causalBlocks(queries, keys, i),
  );
  const loadOnce = () => attention.load({ ...shape, ...inputs });
  const runOnce = () => {
    for (let head = 0; head < HEADS; head++) {
      queryBlocks.forEach(({ blocks, fullCount }, i) => {
        attention.runBlock(0, head, i, blocks, fullCount);
      });
    }
  };
  const loading = measure(loadOnce);
  const running = measure(runOnce);
  const error = compareOutputs(inputs, attention, { maxFlops: 2e7 });
  // Query i of the last `queries` positions sees all keys up to its own.
  const pairs = HEADS * (queries * (keys - queries) + (queries * (queries + 1)) / 2);
  const round = (value) => Number(value.toPrecision(4));
  return {
    queries,
    keys,
    runWallMilliseconds: round(running.wall),
    runProcessorMilliseconds: round(running.processor),
    loadWallMilliseconds: round(loading.wall),
    loadProcessorMilliseconds: round(loading.processor),
    gigaflopsPerSecond: round((4 * 64 * pairs) / running.processor / 1e6),
    maxAbsError: round(error.maxAbs),
    withinTolerance: error.withinTolerance,
  };
}

const prefill = PREFILL.map((tokens) => bench(tokens, tokens));
const decode = DECODE.map((tokens) => bench(1, tokens));
console.log(JSON.stringify({ node: process.version, prefill, decode }));
