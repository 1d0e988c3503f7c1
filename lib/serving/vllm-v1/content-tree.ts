import type { PromptContent } from '../../workload/types';
import { linkUnits } from './block-contents';

/**
 * What the full blocks of a workload's requests hold, as far as at least two requests begin alike: a
 * radix tree whose nodes are stretches of blocks that no two requests leave at different places but
 * at their ends. A content is a node and a place, counted in blocks from the start of the sequence.
 * What only one request has is not in the tree: nobody else can ever look for it.
 */
export interface ContentTree {
  readonly nodeCount: number;
  /** The nodes of request `id` are `nodes[offsets[id]]` up to `nodes[offsets[id + 1]]`. */
  readonly offsets: Int32Array;
  readonly nodes: Int32Array;
  /** Where the request leaves each of them, in blocks from the start; the next one begins there. */
  readonly ends: Int32Array;
  /** Where each node ends, by node. */
  readonly nodeEnds: Int32Array;
}

/** A workload's tree is the same in every run. */
const known = new WeakMap<PromptContent, Map<number, ContentTree>>();

/**
 * @param content token ids (1 token each) or block hashes of the requests, where they are known
 * @throws RangeError when hashes stand for a number of tokens that blocks do not divide
 */
export function contentTreeOf(
  content: PromptContent | undefined,
  requests: number,
  blockTokens: number,
): ContentTree {
  if (content === undefined) return nothingInCommon(requests);
  const bySize = known.get(content) ?? new Map<number, ContentTree>();
  known.set(content, bySize);
  const tree = bySize.get(blockTokens) ?? createContentTree(content, blockTokens);
  bySize.set(blockTokens, tree);
  return tree;
}

/** Where no two requests have anything in common. */
export function nothingInCommon(requests: number): ContentTree {
  const none = new Int32Array(0);
  const offsets = new Int32Array(requests + 1);
  return { nodeCount: 0, offsets, nodes: none, ends: none, nodeEnds: none };
}

/** The root, and what is behind the last node of a path. */
const NO_NODE = -1;

/** Nodes while the tree grows; places are counted in links, which are blocks of tokens or single hashes. */
interface Growing {
  count: number;
  parents: Int32Array;
  /** Where in `ids` a request has the links of the node. */
  idsAt: Int32Array;
  starts: Int32Array;
  ends: Int32Array;
  /** Up to where at least two requests go. */
  sharedEnds: Int32Array;
  hasChildren: Uint8Array;
  hashes: Int32Array;
  /** Open addressing by parent and first link: a node + 1, or 0; at most half of the places are taken. */
  places: Int32Array;
}

function createContentTree(content: PromptContent, blockTokens: number): ContentTree {
  const { offsets, ids } = content;
  const { idsPerLink, blocksPerLink } = linkUnits(content, blockTokens);
  const requests = offsets.length - 1;
  const tree: Growing = {
    count: 0,
    parents: new Int32Array(256),
    idsAt: new Int32Array(256),
    starts: new Int32Array(256),
    ends: new Int32Array(256),
    sharedEnds: new Int32Array(256),
    hasChildren: new Uint8Array(256),
    hashes: new Int32Array(256),
    places: new Int32Array(512),
  };
  const lengths = new Int32Array(requests);
  /** The node in which each request ended when it was added; a later split leaves that in one above. */
  const lasts = new Int32Array(requests);
  for (let id = 0; id < requests; id++) {
    const from = offsets[id] as number;
    const length = Math.floor(((offsets[id + 1] as number) - from) / idsPerLink);
    lengths[id] = length;
    lasts[id] = insert(tree, ids, idsPerLink, from, length);
  }
  return pathsOf(tree, lengths, lasts, blocksPerLink);
}

/** Adds the links of one request. @returns the node in which it ends */
function insert(
  tree: Growing,
  ids: Int32Array,
  idsPerLink: number,
  from: number,
  length: number,
): number {
  let node = NO_NODE;
  for (let depth = 0; depth < length; ) {
    const at = from + depth * idsPerLink;
    const hash = hashOf(ids, idsPerLink, node, at);
    const place = placeOf(tree, ids, idsPerLink, node, at, hash);
    const child = (tree.places[place] as number) - 1;
    if (child < 0) return addNode(tree, place, node, hash, at, depth, length);
    const start = tree.starts[child] as number;
    const most = Math.min(tree.ends[child] as number, length) - start;
    const same = sameIds(ids, tree.idsAt[child] as number, at, most * idsPerLink);
    depth = start + Math.floor(same / idsPerLink);
    if (depth > (tree.sharedEnds[child] as number)) tree.sharedEnds[child] = depth;
    if (depth === length) return child;
    if (depth < (tree.ends[child] as number)) {
      node = split(tree, ids, idsPerLink, child, place, depth);
    } else if (tree.hasChildren[child] === 0) {
      // Nothing branches off: this request's links take over, as the longer ones.
      tree.idsAt[child] = at;
      tree.ends[child] = length;
      return child;
    } else node = child;
  }
  return node;
}

function sameIds(ids: Int32Array, a: number, b: number, most: number): number {
  let i = 0;
  while (i < most && ids[a + i] === ids[b + i]) i++;
  return i;
}

function hashOf(ids: Int32Array, idsPerLink: number, parent: number, at: number): number {
  let hash = Math.imul(parent ^ 0x9e3779b9, 0x85ebca6b);
  for (let i = 0; i < idsPerLink; i++) {
    hash = Math.imul(hash ^ (ids[at + i] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Where the child that begins with the link at `at` is, or would be. */
function placeOf(
  { places, parents, idsAt, hashes }: Growing,
  ids: Int32Array,
  idsPerLink: number,
  parent: number,
  at: number,
  hash: number,
): number {
  const mask = places.length - 1;
  let place = hash & mask;
  for (; places[place] !== 0; place = (place + 1) & mask) {
    const node = (places[place] as number) - 1;
    if (hashes[node] !== hash || parents[node] !== parent) continue;
    if (sameIds(ids, idsAt[node] as number, at, idsPerLink) === idsPerLink) break;
  }
  return place;
}

function addNode(
  tree: Growing,
  place: number,
  parent: number,
  hash: number,
  at: number,
  start: number,
  end: number,
): number {
  const node = tree.count++;
  tree.parents[node] = parent;
  tree.idsAt[node] = at;
  tree.starts[node] = start;
  tree.ends[node] = end;
  tree.sharedEnds[node] = start;
  tree.hashes[node] = hash;
  tree.places[place] = node + 1;
  if (parent !== NO_NODE) tree.hasChildren[parent] = 1;
  if (tree.count === tree.parents.length) grow(tree);
  return node;
}

/** Makes the links of a node before `depth` a node of their own, in its place. @returns the new one */
function split(
  tree: Growing,
  ids: Int32Array,
  idsPerLink: number,
  node: number,
  place: number,
  depth: number,
): number {
  const { starts, idsAt } = tree;
  const start = starts[node] as number;
  const parent = tree.parents[node] as number;
  const upperAt = idsAt[node] as number;
  const lowerAt = upperAt + (depth - start) * idsPerLink;
  idsAt[node] = lowerAt;
  starts[node] = depth;
  if ((tree.sharedEnds[node] as number) < depth) tree.sharedEnds[node] = depth;
  const upper = addNode(tree, place, parent, tree.hashes[node] as number, upperAt, start, depth);
  tree.sharedEnds[upper] = depth;
  tree.hasChildren[upper] = 1;
  const hash = hashOf(ids, idsPerLink, upper, lowerAt);
  tree.places[placeOf(tree, ids, idsPerLink, upper, lowerAt, hash)] = node + 1;
  tree.parents[node] = upper;
  tree.hashes[node] = hash;
  return upper;
}

function grow(tree: Growing): void {
  const { count } = tree;
  const larger = (column: Int32Array): Int32Array => {
    const copy = new Int32Array(count * 2);
    copy.set(column);
    return copy;
  };
  tree.parents = larger(tree.parents);
  tree.idsAt = larger(tree.idsAt);
  tree.starts = larger(tree.starts);
  tree.ends = larger(tree.ends);
  tree.sharedEnds = larger(tree.sharedEnds);
  tree.hashes = larger(tree.hashes);
  const flags = new Uint8Array(count * 2);
  flags.set(tree.hasChildren);
  tree.hasChildren = flags;
  const places = new Int32Array(count * 4);
  for (const entry of tree.places) {
    if (entry === 0) continue;
    let at = (tree.hashes[entry - 1] as number) & (places.length - 1);
    while (places[at] !== 0) at = (at + 1) & (places.length - 1);
    places[at] = entry;
  }
  tree.places = places;
}

/** What is shared of each request's way from the root, numbered without gaps and counted in blocks. */
function pathsOf(
  { count, parents, starts, sharedEnds }: Growing,
  lengths: Int32Array,
  lasts: Int32Array,
  blocksPerLink: number,
): ContentTree {
  const numbers = new Int32Array(count);
  let nodeCount = 0;
  for (let node = 0; node < count; node++) {
    const isShared = (sharedEnds[node] as number) > (starts[node] as number);
    numbers[node] = isShared ? nodeCount++ : NO_NODE;
  }
  const nodeEnds = new Int32Array(nodeCount);
  for (let node = 0; node < count; node++) {
    const number = numbers[node] as number;
    if (number !== NO_NODE) nodeEnds[number] = (sharedEnds[node] as number) * blocksPerLink;
  }
  const isOn = (node: number, length: number): boolean =>
    numbers[node] !== NO_NODE && (starts[node] as number) < length;
  const offsets = new Int32Array(lengths.length + 1);
  for (let id = 0; id < lengths.length; id++) {
    let steps = 0;
    for (let at = lasts[id] as number; at !== NO_NODE; at = parents[at] as number)
      if (isOn(at, lengths[id] as number)) steps++;
    offsets[id + 1] = (offsets[id] as number) + steps;
  }
  const total = offsets[lengths.length] as number;
  const nodes = new Int32Array(total);
  const ends = new Int32Array(total);
  for (let id = 0; id < lengths.length; id++) {
    const length = lengths[id] as number;
    let place = offsets[id + 1] as number;
    for (let at = lasts[id] as number; at !== NO_NODE; at = parents[at] as number) {
      if (!isOn(at, length)) continue;
      nodes[--place] = numbers[at] as number;
      ends[place] = Math.min(sharedEnds[at] as number, length) * blocksPerLink;
    }
  }
  return { nodeCount, offsets, nodes, ends, nodeEnds };
}
