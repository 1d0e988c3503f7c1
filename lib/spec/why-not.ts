/**
 * Why a field cannot be zero or less, where that is not plain: what would happen, as a clause. By the
 * field's name, which means the same wherever it stands.
 */
const REASONS: Readonly<Record<string, string>> = {
  replicas: 'without a replica nothing is served',
  prefillReplicas: 'without one no prompt is computed',
  decodeReplicas: 'without one no answer is decoded',
  linkGigabytesPerSecond: 'over it no KV would ever arrive',
  hostGigabytesPerSecond: 'over it no KV would ever come back',
  readGigabytesPerSecond: 'from it no KV would ever come back',
  writeGigabytesPerSecond: 'to it no KV would ever go',
  ttftSeconds: 'no token comes in no time',
  tpotSeconds: 'no token comes in no time',
  tbtSeconds: 'no token comes in no time',
  maxSequences: 'without a seat no request enters',
  blockTokens: 'a block without tokens holds nothing',
  utilization: 'without memory there are no weights',
  ratePerSecond: 'at such a rate no request would come',
  prefillShare: 'prompts would never be computed',
  decodeShare: 'answers would never be decoded',
  horizonSeconds: 'the run would end before it begins',
};

/** The reason for a number of such a field; undefined where its bounds say enough. */
export function whyNot(field: string, value: unknown): string | undefined {
  return typeof value === 'number' && value <= 0 ? REASONS[field] : undefined;
}
