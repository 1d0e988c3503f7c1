import type { Random } from '../../random/random';
import type { SyntheticLengths } from '../../spec/kinds/workload-synthetic';
import { AZURE_CONVERSATION } from '../azure-conversation';
import { azureLengths } from '../generate';
import { drawLogNormal, type LogNormal, logNormalByMean, logNormalByP90 } from '../log-normal';

/** New prompt tokens and output tokens of one request. */
export type LengthPair = readonly [promptTokens: number, outputTokens: number];

/** What one program draws its lengths from. */
export interface ProgramLengths {
  readonly draw: () => LengthPair;
  readonly priority: number;
  /** Place in the mix; 0 where there is none. */
  readonly kind: number;
}

const whole = (tokens: number): number => Math.max(1, Math.round(tokens));

/**
 * Chooses, program after program, what its requests' lengths are drawn from.
 * @throws RangeError for a P90 below its median, or a mix without shares
 */
export function lengthSampler(lengths: SyntheticLengths, random: Random): () => ProgramLengths {
  const stream = random.fork('lengths');
  const one = (draw: () => LengthPair): (() => ProgramLengths) => {
    const only = { draw, priority: 0, kind: 0 };
    return () => only;
  };
  const pair = (prompt: LogNormal, output: LogNormal) => (): LengthPair => [
    whole(drawLogNormal(prompt, stream)),
    whole(drawLogNormal(output, stream)),
  ];
  switch (lengths.model) {
    case 'azure-2023-conversation':
      return one(azureLengths(stream));
    case 'fixed':
      return one(() => [lengths.promptTokens, lengths.outputTokens]);
    case 'log-normal':
      return one(pair(...byP90(lengths)));
    case 'log-normal-mean':
      return one(
        pair(
          logNormalByMean(lengths.promptMean, lengths.promptSigma),
          logNormalByMean(lengths.outputMean, lengths.outputSigma),
        ),
      );
    case 'mix': {
      const kinds = lengths.kinds.map((kind, i) => ({
        draw: pair(...byP90(kind)),
        priority: kind.priority,
        kind: i,
      }));
      const total = lengths.kinds.reduce((sum, { share }) => sum + share, 0);
      if (!(total > 0))
        throw new RangeError(`invalid kinds: shares sum to ${total} (expected above 0)`);
      const choice = random.fork('kinds');
      return () => {
        let left = choice.uniform() * total;
        const at = lengths.kinds.findIndex(({ share }) => {
          left -= share;
          return left < 0;
        });
        return kinds[at === -1 ? kinds.length - 1 : at] as ProgramLengths;
      };
    }
  }
}

function byP90(figures: {
  readonly promptMedian: number;
  readonly promptP90: number;
  readonly outputMedian: number;
  readonly outputP90: number;
}): readonly [LogNormal, LogNormal] {
  return [
    logNormalByP90(figures.promptMedian, figures.promptP90, 'prompt'),
    logNormalByP90(figures.outputMedian, figures.outputP90, 'output'),
  ];
}

/** What the lengths are, in words. */
export function lengthsText(lengths: SyntheticLengths): string {
  switch (lengths.model) {
    case 'azure-2023-conversation':
      return AZURE_CONVERSATION.source;
    case 'fixed':
      return `${lengths.promptTokens} in, ${lengths.outputTokens} out`;
    case 'log-normal':
      return `log-normal lengths, median / P90: prompt ${lengths.promptMedian} / ${lengths.promptP90}, output ${lengths.outputMedian} / ${lengths.outputP90}`;
    case 'log-normal-mean':
      return `log-normal lengths, mean and sigma: prompt ${lengths.promptMean}, ${lengths.promptSigma}, output ${lengths.outputMean}, ${lengths.outputSigma}`;
    case 'mix':
      return `a mix of ${lengths.kinds.map(({ name, share }) => `${name} (${share})`).join(', ')}, log-normal lengths`;
  }
}
