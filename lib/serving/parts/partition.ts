import type { PartitionPart } from '../../spec/kinds/serve-parts';
import {
  chooseSplit,
  DEFAULT_CURVES,
  exceedsHysteresis,
  type PartitionCurves,
  type PhaseSeconds,
  type SmSplit,
} from '../cost/partition';

/** Share of late tokens in a window from which a phase counts as late. */
const LATE_SHARE = 0.1;
const WHOLE: SmSplit = { prefillShare: 1, decodeShare: 1 };

/** What runs on one accelerator at a moment; a phase that is idle is undefined. */
export interface PairView {
  readonly nowSeconds: number;
  readonly prefill: PhaseSeconds | undefined;
  readonly decode: PhaseSeconds | undefined;
  /** Share of the KV blocks in use. */
  readonly kvUse: number;
  /** How long the prompt that came first has waited; 0 without one. */
  readonly longestWaitSeconds: number;
}

/** Decides how two phases share the multiprocessors of one accelerator; keeps what it has seen. */
export interface SplitController {
  /** Asked when an iteration of either phase starts or ends. */
  split(view: PairView): SmSplit;
  onFirstToken(ttftSeconds: number): void;
  /** An iteration has given so many decodes a token. */
  onDecodes(seconds: number, count: number): void;
}

type Sharing = Exclude<PartitionPart, { type: 'none' }>;

export const curvesOf = ({ decodeSaturation, contention }: Sharing): PartitionCurves => ({
  ...DEFAULT_CURVES,
  decodeSaturation,
  contention,
});

/** A controller with nothing seen yet; see `partitionPart` for the rules. */
export function splitController(part: Sharing): SplitController {
  const ignores = { onFirstToken: () => undefined, onDecodes: () => undefined };
  switch (part.type) {
    case 'static': {
      const { prefillShare, decodeShare } = part;
      const fixed = { prefillShare, decodeShare };
      return { ...ignores, split: () => fixed };
    }
    case 'slo-feedback':
      return feedback(part);
    case 'model-driven': {
      const curves = curvesOf(part);
      let current: SmSplit | undefined;
      return {
        ...ignores,
        split({ prefill, decode, kvUse }) {
          // A phase alone has the accelerator for itself.
          if (prefill === undefined || decode === undefined) return WHOLE;
          const favours = kvUse < part.switchThreshold ? 'prefill' : 'decode';
          const best = chooseSplit(prefill, decode, { curves, favours, slack: part.slack });
          if (current === undefined || exceedsHysteresis(current, best, part.hysteresis))
            current = best;
          return current;
        },
      };
    }
  }
}

function feedback(part: Extract<Sharing, { type: 'slo-feedback' }>): SplitController {
  const { step, windowSeconds } = part;
  let prefillShare = part.prefillShare;
  let windowEnd = windowSeconds;
  let first = 0;
  let lateFirst = 0;
  let tokens = 0;
  let lateTokens = 0;
  let asOf = 0;
  let isBlocked = false;
  let blockedSeconds = 0;
  return {
    split({ nowSeconds, longestWaitSeconds, prefill }) {
      if (isBlocked) blockedSeconds += nowSeconds - asOf;
      asOf = nowSeconds;
      isBlocked = prefill === undefined && longestWaitSeconds > 0;
      if (nowSeconds >= windowEnd) {
        // Prompts that wait for memory would wait no less with more of the accelerator.
        const isPrefillLate =
          (longestWaitSeconds > part.ttftSeconds || lateFirst > LATE_SHARE * first) &&
          blockedSeconds < windowSeconds / 2;
        const isDecodeLate = lateTokens > LATE_SHARE * tokens;
        if (isPrefillLate && !isDecodeLate) prefillShare = Math.min(1 - step, prefillShare + step);
        if (isDecodeLate && !isPrefillLate) prefillShare = Math.max(step, prefillShare - step);
        first = 0;
        lateFirst = 0;
        tokens = 0;
        lateTokens = 0;
        blockedSeconds = 0;
        windowEnd = nowSeconds + windowSeconds;
      }
      return { prefillShare, decodeShare: Math.max(0.01, 1 - prefillShare) };
    },
    onFirstToken(seconds) {
      first++;
      if (seconds > part.ttftSeconds) lateFirst++;
    },
    onDecodes(seconds, count) {
      tokens += count;
      if (seconds > part.tbtSeconds) lateTokens += count;
    },
  };
}
