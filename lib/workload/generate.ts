import { createRandom, type Random } from '../random/random';
import type { WorkloadParams, WorkloadSource } from '../spec/kinds/workload';
import { AZURE_CONVERSATION } from './azure-conversation';
import { ROWS_PER_STEP, runSteps, type WorkloadSteps } from './steps';
import type { Workload } from './types';
import { zipfSampler } from './zipf';

type GeneratorSource = Extract<WorkloadSource, { type: 'generator' }>;
type Quantiles = readonly (readonly [share: number, tokens: number])[];

/** Value of a piecewise-linear quantile function, rounded to whole tokens. */
export function quantileTokens(quantiles: Quantiles, share: number): number {
  for (let i = 1; i < quantiles.length; i++) {
    const [high, highTokens] = quantiles[i] as readonly [number, number];
    if (share > high) continue;
    const [low, lowTokens] = quantiles[i - 1] as readonly [number, number];
    return Math.round(lowTokens + ((highTokens - lowTokens) * (share - low)) / (high - low));
  }
  return quantiles[quantiles.length - 1]?.[1] ?? 1;
}

/** Standard normal distribution function, by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7). */
function normalShare(x: number): number {
  const t = 1 / (1 + 0.3275911 * (Math.abs(x) / Math.SQRT2));
  const poly =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const erf = 1 - poly * Math.exp((-x * x) / 2);
  return x >= 0 ? (1 + erf) / 2 : (1 - erf) / 2;
}

function gapSampler(source: GeneratorSource, random: Random): () => number {
  const mean = 1 / source.ratePerSecond;
  switch (source.arrival) {
    case 'poisson':
      return () => mean * random.exponential();
    case 'gamma': {
      // A gamma renewal process: shape 1 / cv^2 keeps the mean and sets the coefficient of variation.
      const shape = 1 / source.gapCv ** 2;
      return () => (mean * random.gamma(shape)) / shape;
    }
    case 'uniform':
      return () => mean;
  }
}

function lengthSampler(source: GeneratorSource, random: Random): () => readonly [number, number] {
  if (source.lengths === 'fixed') return () => [source.promptTokens, source.outputTokens];
  return azureLengths(random);
}

/** Draws prompt and output tokens with the quantiles and the rank correlation of the Azure 2023 conversations. */
export function azureLengths(random: Random): () => readonly [number, number] {
  const { promptQuantiles, outputQuantiles, copulaCorrelation: rho } = AZURE_CONVERSATION;
  const rest = Math.sqrt(1 - rho * rho);
  return () => {
    const x = random.normal();
    const y = rho * x + rest * random.normal();
    return [
      quantileTokens(promptQuantiles, normalShare(x)),
      quantileTokens(outputQuantiles, normalShare(y)),
    ];
  };
}

/** Draws clients in proportion to i^-skew; undefined where there is one. */
function clientSampler(source: GeneratorSource, random: Random): (() => number) | undefined {
  return source.clients === 1 ? undefined : zipfSampler(source.clients, source.clientSkew, random);
}

/**
 * Requests from an arrival process and a length distribution. Arrivals, lengths and clients are
 * independent streams of the seed: changing the rate keeps every request's lengths, and the other way
 * round.
 * The first request arrives at 0.
 */
export function generateWorkload(params: WorkloadParams, source: GeneratorSource): Workload {
  return runSteps(generateWorkloadSteps(params, source));
}

/** The same in steps. */
export function* generateWorkloadSteps(
  params: WorkloadParams,
  source: GeneratorSource,
): WorkloadSteps<Workload> {
  const count = Math.min(source.requests, params.maxRequests);
  const random = createRandom(params.seed);
  const nextGap = gapSampler(source, random.fork('arrivals'));
  const nextLengths = lengthSampler(source, random.fork('lengths'));
  const nextClient = clientSampler(source, random.fork('clients'));
  const clientIds = nextClient === undefined ? undefined : new Int32Array(count);
  const arrivalSeconds = new Float64Array(count);
  const promptTokens = new Int32Array(count);
  const outputTokens = new Int32Array(count);
  let now = 0;
  let rejected = 0;
  for (let i = 0; i < count; i++) {
    if (i % ROWS_PER_STEP === 0) yield { phase: 'drawing requests', fraction: i / count };
    if (i > 0) now += nextGap() / params.rateScale;
    arrivalSeconds[i] = now;
    let lengths = nextLengths();
    for (let tries = 0; lengths[0] + lengths[1] > params.maxTokensPerRequest; tries++) {
      if (source.lengths === 'fixed' || tries === 1000) {
        throw new Error(
          `invalid maxTokensPerRequest: ${params.maxTokensPerRequest} (the generator draws ${lengths[0]} + ${lengths[1]} tokens)`,
        );
      }
      rejected++;
      lengths = nextLengths();
    }
    promptTokens[i] = lengths[0];
    outputTokens[i] = lengths[1];
    if (nextClient !== undefined && clientIds !== undefined) clientIds[i] = nextClient();
  }
  const isFixed = source.lengths === 'fixed';
  const process =
    source.arrival === 'gamma'
      ? `gamma arrivals, gap CV ${source.gapCv}`
      : `${source.arrival} arrivals`;
  return {
    arrivalSeconds,
    promptTokens,
    outputTokens,
    ...(clientIds === undefined ? {} : { clientIds }),
    label: `${count} generated requests, ${process} at ${(source.ratePerSecond * params.rateScale).toPrecision(3)}/s, ${
      isFixed
        ? `${source.promptTokens} in, ${source.outputTokens} out`
        : 'Azure 2023 conversation lengths'
    }${source.clients > 1 ? `, ${source.clients} clients` : ''}`,
    source: isFixed ? 'fixed lengths' : AZURE_CONVERSATION.source,
    seed: params.seed,
    notes:
      rejected > 0
        ? [
            `${rejected} draws above maxTokensPerRequest ${params.maxTokensPerRequest} were drawn again`,
          ]
        : [],
  };
}
