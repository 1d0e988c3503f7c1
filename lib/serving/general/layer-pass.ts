import { layerGroups } from '../parts/chunker';
import type { Replica } from './replica';

/** A set of prompts that goes through one group of layers an iteration, all together. */
export interface LayerPass {
  readonly groups: number;
  /** Groups that are done. */
  done: number;
  /** Tokens of each prompt in the set. */
  readonly tokens: ReadonlyMap<number, number>;
}

/** The prompts of an iteration that has just been formed become a set. */
export function beginPass({ chunkIds, chunkTokens }: Replica): LayerPass {
  const tokens = new Map(chunkIds.map((id, i) => [id, chunkTokens[i] as number]));
  const sum = chunkTokens.reduce((a, b) => a + b, 0);
  return { groups: layerGroups(sum), done: 0, tokens };
}

/** One group more is done. @returns whether it was the last; else the prompts go on in the next iteration */
export function advancePass(replica: Replica, pass: LayerPass): boolean {
  pass.done++;
  if (pass.done === pass.groups) {
    replica.layerPass = undefined;
    return true;
  }
  replica.tail.push(...replica.chunkIds);
  return false;
}

/** What a group is of all the work, in whole tokens that sum to the set's. */
export function groupTokens({ groups, done }: LayerPass, tokens: number): number {
  return Math.floor((tokens * (done + 1)) / groups) - Math.floor((tokens * done) / groups);
}
