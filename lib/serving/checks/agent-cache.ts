import type { Random } from '../../random/random';

/** Kinds of tools that an agent waits for: how often, and for how long in the mean. */
export const AGENT_TOOLS = [
  { share: 0.6, meanSeconds: 1 },
  { share: 0.3, meanSeconds: 8 },
  { share: 0.1, meanSeconds: 40 },
] as const;

/** A step of an agent: it reads all KV of its session so far and adds to it. */
export interface AgentStep {
  readonly session: number;
  readonly atSeconds: number;
  /** Blocks before the step, all of which it wants to find, and after it. */
  readonly blocksBefore: number;
  readonly blocksAfter: number;
  /** Kind of the tool that is called when it ends; undefined at the last step of the session. */
  readonly tool: number | undefined;
  /** When the session comes back; Infinity after its last step. */
  readonly nextSeconds: number;
}

export interface AgentTraceOptions {
  readonly sessions: number;
  readonly sessionsPerSecond: number;
  readonly leastSteps: number;
  readonly mostSteps: number;
  readonly stepSeconds: number;
  readonly firstBlocks: number;
  readonly stepBlocks: number;
}

/** Steps of Poisson sessions in the order of time. */
export function agentTrace(random: Random, options: AgentTraceOptions): readonly AgentStep[] {
  const steps: AgentStep[] = [];
  let start = 0;
  for (let session = 0; session < options.sessions; session++) {
    start += random.exponential() / options.sessionsPerSecond;
    let at = start;
    const count = random.integer(options.leastSteps, options.mostSteps);
    for (let i = 0; i < count; i++) {
      const blocksBefore = i === 0 ? 0 : options.firstBlocks + i * options.stepBlocks;
      const blocksAfter = options.firstBlocks + (i + 1) * options.stepBlocks;
      const tool = i === count - 1 ? undefined : drawTool(random);
      const gap = tool === undefined ? Infinity : random.exponential() * meanOf(tool);
      const nextSeconds = at + options.stepSeconds + gap;
      steps.push({ session, atSeconds: at, blocksBefore, blocksAfter, tool, nextSeconds });
      at = nextSeconds;
    }
  }
  return steps.toSorted((a, b) => a.atSeconds - b.atSeconds);
}

const meanOf = (tool: number) => AGENT_TOOLS[tool]?.meanSeconds ?? 0;

function drawTool(random: Random): number {
  let left = random.uniform();
  const found = AGENT_TOOLS.findIndex(({ share }) => {
    left -= share;
    return left < 0;
  });
  return found < 0 ? 0 : found;
}

/** Largest number of blocks that sessions under way have at any time. */
export function workingSet(steps: readonly AgentStep[]): number {
  const held = new Map<number, number>();
  let now = 0;
  let most = 0;
  for (const { session, blocksAfter, tool } of steps) {
    now += blocksAfter - (held.get(session) ?? 0);
    held.set(session, blocksAfter);
    most = Math.max(most, now);
    if (tool === undefined) {
      now -= blocksAfter;
      held.delete(session);
    }
  }
  return most;
}

/** What a policy may know of a session that is away; the oracle alone may look at `step.nextSeconds`. */
export interface Away {
  readonly step: AgentStep;
  readonly blocks: number;
  readonly nowSeconds: number;
  readonly stepSeconds: number;
  /** Gaps of its tool seen so far. */
  readonly gaps: readonly number[];
  /** The most blocks and the longest time away of all sessions here. */
  readonly mostBlocks: number;
  readonly longestSeconds: number;
}

export interface AgentPolicy {
  /** The session with the largest score goes first. */
  readonly score: (away: Away) => number;
  /** Whether it takes the first blocks of a session first, without which the others are of no use. */
  readonly takesHeads?: boolean;
}

export interface Misses {
  /** Blocks that had been computed before and were not there, over all steps. */
  readonly again: number;
  /** Blocks that are new. */
  readonly fresh: number;
}

/** Gaps of a tool that are remembered. */
const REMEMBERED = 100;

/**
 * Replays steps through a cache of blocks. A session under way cannot be evicted in its own step; of
 * another one the policy takes what is needed, from its end or from its beginning.
 *
 * @throws RangeError when one session alone does not fit
 */
export function replayAgents(
  steps: readonly AgentStep[],
  capacityBlocks: number,
  stepSeconds: number,
  policy: AgentPolicy,
): Misses {
  const kept = new Map<number, { step: AgentStep; blocks: number }>();
  const gaps: number[][] = AGENT_TOOLS.map(() => []);
  let used = 0;
  let again = 0;
  let fresh = 0;
  for (const step of steps) {
    const { session, blocksBefore, blocksAfter, atSeconds } = step;
    if (blocksAfter > capacityBlocks)
      throw new RangeError(
        `invalid capacity: ${capacityBlocks} blocks (a session has ${blocksAfter})`,
      );
    const had = kept.get(session);
    const present = had?.blocks ?? 0;
    const isUseless = policy.takesHeads === true && present < blocksBefore;
    again += blocksBefore - (isUseless ? 0 : present);
    fresh += blocksAfter - blocksBefore;
    used -= present;
    kept.delete(session);
    let short = used + blocksAfter - capacityBlocks;
    while (short > 0) {
      const victim = worst(kept, gaps, atSeconds, stepSeconds, policy);
      const taken = Math.min(short, victim.blocks);
      victim.blocks -= taken;
      used -= taken;
      short -= taken;
      if (victim.blocks === 0) kept.delete(victim.step.session);
    }
    kept.set(session, { step, blocks: blocksAfter });
    used += blocksAfter;
    if (step.tool !== undefined) {
      const seen = gaps[step.tool] as number[];
      // The gap is known only when it ends; one step late makes no difference to a distribution.
      seen.push(step.nextSeconds - atSeconds - stepSeconds);
      if (seen.length > REMEMBERED) seen.shift();
    }
  }
  return { again, fresh };
}

function worst(
  kept: ReadonlyMap<number, { step: AgentStep; blocks: number }>,
  gaps: readonly (readonly number[])[],
  nowSeconds: number,
  stepSeconds: number,
  policy: AgentPolicy,
): { step: AgentStep; blocks: number } {
  let mostBlocks = 1;
  let longestSeconds = 1e-9;
  for (const { step, blocks } of kept.values()) {
    mostBlocks = Math.max(mostBlocks, blocks);
    longestSeconds = Math.max(longestSeconds, nowSeconds - step.atSeconds);
  }
  let found: { step: AgentStep; blocks: number } | undefined;
  let most = -Infinity;
  for (const each of kept.values()) {
    const { step, blocks } = each;
    const seen = step.tool === undefined ? [] : (gaps[step.tool] as readonly number[]);
    const away = { step, blocks, nowSeconds, stepSeconds, gaps: seen, mostBlocks, longestSeconds };
    const score = policy.score(away);
    if (found !== undefined && score <= most) continue;
    found = each;
    most = score;
  }
  if (found === undefined) throw new RangeError('no session to evict');
  return found;
}
