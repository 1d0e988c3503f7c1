import { createRandom } from '../../random/random';
import type { WorkloadParams } from '../../spec/kinds/workload';
import type { SyntheticSource } from '../../spec/kinds/workload-synthetic';
import { createWorkloadBuilder } from '../builder';
import { ROWS_PER_STEP, runSteps, type WorkloadSteps } from '../steps';
import type { Workload } from '../types';
import { startGapSampler } from './gaps';
import { type LengthPair, lengthSampler, lengthsText } from './lengths';
import { imageSampler, limitSampler } from './limits';
import { prefixSampler } from './prefixes';
import { programSampler } from './programs';
import { createBlockNames } from './streams';

const MOST_TRIES = 1000;

/**
 * Programs from a process of starts, distributions of lengths, what they share and how their requests
 * come of each other. Starts, lengths, prefixes, turns and gaps are independent streams of the seed. A
 * request that comes of others stands where it would be sent if requests took no time. The first
 * program starts at 0; the last one may be cut to give the number of requests.
 *
 * @throws Error where lengths can never be at most `maxTokensPerRequest`, RangeError for figures that
 * fit no distribution
 */
export function generateSynthetic(params: WorkloadParams, source: SyntheticSource): Workload {
  return runSteps(generateSyntheticSteps(params, source));
}

/** The same in steps. */
export function* generateSyntheticSteps(
  params: WorkloadParams,
  source: SyntheticSource,
): WorkloadSteps<Workload> {
  const mostRequests = Math.min(source.requests, params.maxRequests);
  const random = createRandom(params.seed);
  const names = createBlockNames(source.tokensPerId);
  const nextStart = startGapSampler(source, random.fork('starts'));
  const nextLengths = lengthSampler(source.lengths, random);
  const nextPrefix = prefixSampler(
    source.sharing,
    names,
    source.tokensPerId,
    random.fork('prefixes'),
  );
  const nextProgram = programSampler(
    source.program,
    params.maxTokensPerRequest,
    names,
    random.fork('programs'),
  );
  const hasPrograms = source.program.type !== 'none';
  const nextLimit = limitSampler(source.limits, hasPrograms, random.fork('limits'));
  const nextImages = imageSampler(source.images, random.fork('images'));
  const tokensPerImage = source.images.type === 'none' ? 0 : source.images.tokensPerImage;
  const hasContent = hasPrograms || source.sharing.type !== 'none';
  const builder = createWorkloadBuilder();
  let start = 0;
  let redrawn = 0;
  let tooLong = 0;
  let programs = 0;
  let leftOfLast = 0;
  let nextYield = 0;

  function firstThatFits(prefixTokens: number, draw: () => LengthPair): LengthPair {
    for (let tries = 0; ; tries++) {
      const [prompt, output] = draw();
      if (prefixTokens + prompt + output <= params.maxTokensPerRequest) return [prompt, output];
      if (tries === MOST_TRIES)
        throw new Error(
          `invalid maxTokensPerRequest: ${params.maxTokensPerRequest} (the generator draws ${prefixTokens} + ${prompt} + ${output} tokens)`,
        );
      redrawn++;
    }
  }

  for (; builder.count < mostRequests; programs++) {
    if (builder.count >= nextYield) {
      nextYield += ROWS_PER_STEP;
      yield { phase: 'drawing requests', fraction: builder.count / mostRequests };
    }
    const limit = nextLimit?.();
    if (programs > 0 && limit?.isWithBefore !== true) start += nextStart() / params.rateScale;
    const prefix = nextPrefix();
    const { draw, priority } = nextLengths();
    const images = nextImages();
    const [text, answer] = firstThatFits(prefix.tokens + images * tokensPerImage, draw);
    const first: LengthPair = [text + images * tokensPerImage, answer];
    const { steps, isCut } = nextProgram(prefix, first, draw);
    if (isCut) tooLong++;
    const kept = steps.slice(0, mostRequests - builder.count);
    leftOfLast = steps.length - kept.length;
    const seconds: number[] = [];
    const base = builder.count;
    for (const [i, step] of kept.entries()) {
      const after = step.before.reduce((last, i) => Math.max(last, seconds[i] as number), start);
      seconds.push(after + step.gapSeconds);
      builder.add({
        seconds: after + step.gapSeconds,
        promptTokens: step.promptTokens,
        outputTokens: step.outputTokens,
        priority,
        ids: hasContent ? step.stream.blocks : undefined,
        ...(hasPrograms && { programId: programs }),
        predecessors: step.before.map((i) => base + i),
        gapSeconds: step.gapSeconds,
        tool: step.tool,
        ...(limit !== undefined && { limit: limit.of(step.outputTokens) }),
        ...(source.images.type !== 'none' && { items: i === 0 ? images : 0 }),
      });
    }
  }
  const most = `maxTokensPerRequest ${params.maxTokensPerRequest}`;
  const rate = (source.ratePerSecond * params.rateScale).toPrecision(3);
  return {
    ...builder.build({ tokensPerId: source.tokensPerId, rateScale: 1 }),
    label: [
      `${mostRequests} generated requests${hasPrograms ? ` of ${programs} ${source.program.type} programs` : ''}`,
      `${startsText(source)} at ${rate}/s`,
      ...(source.sharing.type === 'none' ? [] : [sharingText(source)]),
      ...(source.limits.type === 'none' ? [] : ['with time limits']),
      ...(source.images.type === 'none'
        ? []
        : [`${source.images.least} to ${source.images.most} images`]),
    ].join(', '),
    source: lengthsText(source.lengths),
    seed: params.seed,
    notes: [
      ...(redrawn > 0 ? [`${redrawn} draws above ${most} were drawn again`] : []),
      ...(tooLong > 0
        ? [`${tooLong} programs end early: their next request is above ${most}`]
        : []),
      ...(leftOfLast > 0
        ? [`the last program is cut: ${leftOfLast} of its requests are left out`]
        : []),
    ],
  };
}

function startsText({ arrivals }: SyntheticSource): string {
  return arrivals.process === 'gamma'
    ? `gamma arrivals, gap CV ${arrivals.gapCv}`
    : `${arrivals.process} arrivals`;
}

function sharingText({ sharing }: SyntheticSource): string {
  switch (sharing.type) {
    case 'none':
      return 'nothing shared';
    case 'groups':
      return `${sharing.groups} shared prefixes of ${sharing.prefixTokens} tokens`;
    case 'chunks':
      return `${sharing.chunksPerProgram} of ${sharing.documents} chunks of ${sharing.chunkTokens} tokens`;
  }
}
