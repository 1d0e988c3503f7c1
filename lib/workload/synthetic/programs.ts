import type { Random } from '../../random/random';
import type { SyntheticProgram } from '../../spec/kinds/workload-synthetic';
import { drawLogNormal, logNormalByP90 } from '../log-normal';
import { type Gap, gapSampler, NO_GAP } from './gaps';
import type { LengthPair } from './lengths';
import type { BlockNames, TokenStream } from './streams';

/** One request of a program. */
export interface Step {
  /** Steps that it comes of, all before it. */
  readonly before: readonly number[];
  readonly gapSeconds: number;
  /** Kind of tool that the gap is the time of. */
  readonly tool: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Prompt and output. */
  readonly stream: TokenStream;
}

export interface ProgramPlan {
  readonly steps: readonly Step[];
  /** Whether steps were left out because they would be above the most tokens of a request. */
  readonly isCut: boolean;
}

/** Draws a program after its common beginning. The first pair of lengths always fits. */
export type ProgramSampler = (
  prefix: TokenStream,
  first: LengthPair,
  draw: () => LengthPair,
) => ProgramPlan;

/**
 * @param mostTokens prompt and output of a request may have
 * @throws RangeError for a P90 below its median
 */
export function programSampler(
  program: SyntheticProgram,
  mostTokens: number,
  names: BlockNames,
  random: Random,
): ProgramSampler {
  const step = (
    said: TokenStream,
    own: number,
    output: number,
    before: readonly number[],
    { seconds: gapSeconds, tool }: Gap,
  ): Step => {
    const stream = names.extend(said, own + output);
    const promptTokens = said.tokens + own;
    return { before, gapSeconds, tool, promptTokens, outputTokens: output, stream };
  };
  const turnCount = random.fork('turns');
  if (program.type === 'none')
    return (prefix, [own, output]) => ({
      steps: [step(prefix, own, output, [], NO_GAP)],
      isCut: false,
    });
  const nextGap = gapSampler(program.gap, random.fork('gaps'));

  /** Steps one after the other, each with all that was said. */
  function chain(
    prefix: TokenStream,
    first: LengthPair,
    turns: number,
    next: () => LengthPair,
  ): ProgramPlan {
    const steps: Step[] = [step(prefix, ...first, [], NO_GAP)];
    for (let turn = 1; turn < turns; turn++) {
      const said = (steps[turn - 1] as Step).stream;
      const [own, output] = next();
      if (said.tokens + own + output > mostTokens) return { steps, isCut: true };
      steps.push(step(said, own, output, [turn - 1], nextGap()));
    }
    return { steps, isCut: false };
  }

  switch (program.type) {
    case 'chat': {
      const { turnsMean, mostTurns } = program;
      // A turn is the last one with probability 1 / mean.
      const goesOn = Math.log(1 - 1 / turnsMean);
      return (prefix, first, draw) => {
        const more = turnsMean === 1 ? 0 : Math.floor(Math.log(1 - turnCount.uniform()) / goesOn);
        return chain(prefix, first, Math.min(mostTurns, 1 + more), draw);
      };
    }
    case 'agent': {
      const { turnsMean, turnsDeviation, toolMedianTokens, toolP90Tokens } = program;
      const tool = logNormalByP90(toolMedianTokens, toolP90Tokens, 'tool');
      const tools = random.fork('tools');
      return (prefix, first, draw) => {
        const turns = Math.max(1, Math.round(turnsMean + turnsDeviation * turnCount.normal()));
        return chain(prefix, first, turns, () => [
          Math.max(1, Math.round(drawLogNormal(tool, tools))),
          draw()[1],
        ]);
      };
    }
    case 'fork-join': {
      const { branches, plansFirst, joinTokens } = program;
      return (prefix, [own, output], draw) => {
        const steps: Step[] = plansFirst ? [step(prefix, own, output, [], NO_GAP)] : [];
        const plan = steps[0];
        const said = plan?.stream ?? names.extend(prefix, own);
        const first = steps.length;
        for (let branch = 0; branch < branches; branch++) {
          const answer = branch === 0 && plan === undefined ? output : draw()[1];
          if (said.tokens + answer > mostTokens) continue;
          const after = plan === undefined ? [] : [0];
          steps.push(step(said, 0, answer, after, plan === undefined ? NO_GAP : nextGap()));
        }
        const made = steps.slice(first);
        const others = made.slice(1).reduce((sum, each) => sum + each.outputTokens, 0);
        const [answered] = made;
        const final = draw()[1];
        if (answered === undefined) return { steps, isCut: true };
        const joined = answered.stream.tokens + others + joinTokens;
        if (made.length < branches || joined + final > mostTokens) return { steps, isCut: true };
        const after = made.map((_, i) => first + i);
        return {
          // It reads the first branch's answer, then the others'.
          steps: [...steps, step(answered.stream, others + joinTokens, final, after, nextGap())],
          isCut: false,
        };
      };
    }
  }
}
