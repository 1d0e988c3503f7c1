import { createRandom } from '../../random/random';
import type { ServeResult } from '../types';
import type { Session } from './session-load';

/** Kinds of tools that an agent waits for: how often, and for how long in the mean. */
export const AGENT_TOOLS = [
  { share: 0.6, meanSeconds: 1 },
  { share: 0.3, meanSeconds: 8 },
  { share: 0.1, meanSeconds: 40 },
] as const;

export interface AgentOptions {
  readonly sessions: number;
  readonly perSecond: number;
  readonly leastSteps: number;
  readonly mostSteps: number;
  readonly firstTokens: number;
  readonly stepTokens: number;
  readonly outputTokens: number;
}

/** Poisson sessions of agents whose steps call tools of three kinds. */
export function toolAgents(seed: number, options: AgentOptions): readonly Session[] {
  const random = createRandom(seed);
  let startSeconds = 0;
  return Array.from({ length: options.sessions }, () => {
    startSeconds += random.exponential() / options.perSecond;
    const steps = random.integer(options.leastSteps, options.mostSteps);
    const turns = Array.from({ length: steps }, (_, i) => {
      let left = random.uniform();
      const found = AGENT_TOOLS.findIndex(({ share }) => {
        left -= share;
        return left < 0;
      });
      const tool = found < 0 ? 0 : found;
      return {
        ownTokens: i === 0 ? options.firstTokens : options.stepTokens,
        outputTokens: options.outputTokens,
        gapSeconds: random.exponential() * (AGENT_TOOLS[tool]?.meanSeconds ?? 0),
        tool,
      };
    });
    return { startSeconds, turns };
  });
}

/** Largest number of tokens that sessions under way have at any time of a run. */
export function workingSetTokens({ requests }: Pick<ServeResult, 'requests'>): number {
  const { programIds, completedSeconds, promptTokens, outputTokens } = requests;
  const order = Array.from(completedSeconds.keys()).sort(
    (a, b) => (completedSeconds[a] as number) - (completedSeconds[b] as number),
  );
  const turnsLeft = new Map<number, number>();
  programIds?.forEach((program) => {
    turnsLeft.set(program, (turnsLeft.get(program) ?? 0) + 1);
  });
  const held = new Map<number, number>();
  let now = 0;
  let most = 0;
  for (const id of order) {
    const program = programIds?.[id] as number;
    const tokens = (promptTokens[id] as number) + (outputTokens[id] as number);
    now += tokens - (held.get(program) ?? 0);
    held.set(program, tokens);
    most = Math.max(most, now);
    const left = (turnsLeft.get(program) as number) - 1;
    turnsLeft.set(program, left);
    if (left === 0) now -= tokens;
  }
  return most;
}

/** Prompt tokens that had been computed before and were not there. The block of the last output token never is. */
export function computedAgain(
  { requests }: Pick<ServeResult, 'requests'>,
  ownTokens: (id: number) => number | undefined,
  blockTokens: number,
): number {
  const { promptTokens, hitTokens } = requests;
  let again = 0;
  promptTokens.forEach((prompt, id) => {
    const own = ownTokens(id);
    if (own === undefined) return;
    again += Math.max(0, prompt - own - blockTokens - (hitTokens?.[id] ?? 0));
  });
  return again;
}
