import { BLOCK_KEYS, BLOCK_QUERIES, paddedHead } from './scratch';

// A word of every cache line that the next query block will read or write first, read while this one
// is computed: a few lines per register tile, whose misses then wait beside its arithmetic. A short
// list of key blocks otherwise spends a sixth of its time waiting.

const CACHE_LINE_BYTES: usize = 64;

let at: usize = 0;
let end: usize = 0;
let nextQuery: usize = 0;
let nextOutput: usize = 0;
let nextKeys: usize = 0;
let nextValues: usize = 0;
let halfKeys: usize = 0;
let halfValues: usize = 0;
let touched: i32 = 0;

/**
 * What `touchAhead` reads from now on: the next rows, and the key block after the last of the list,
 * which lists along a diagonal visit next. Past the last rows lie other tensors of the layout
 * (`../layout.ts`): a block of rows is no longer than the staging area at its end.
 *
 * @param query,output of BLOCK_QUERIES rows
 * @param keys,values of that key block; where there is none, anything readable of its size
 */
export function lookAhead(
  query: usize,
  output: usize,
  keys: usize,
  values: usize,
  headSize: usize,
): void {
  at = 0;
  end = 4 * BLOCK_QUERIES * headSize;
  nextQuery = query;
  nextOutput = output;
  nextKeys = keys;
  nextValues = values;
  halfKeys = keys + 2 * BLOCK_KEYS * headSize;
  halfValues = values + 2 * BLOCK_KEYS * paddedHead(headSize);
}

/** One line of each. */
@inline
export function touchAhead(): void {
  if (at >= end) return;
  touched |=
    load<i32>(nextQuery + at) |
    load<i32>(nextOutput + at) |
    load<i32>(nextKeys + at) |
    load<i32>(halfKeys + at) |
    load<i32>(nextValues + at) |
    load<i32>(halfValues + at);
  at += CACHE_LINE_BYTES;
}
