/**
 * Statistics of the Azure LLM inference trace 2023, conversation (Azure Public Dataset, CC-BY 4.0):
 * 19,366 requests over 3,502 s. The generator draws from these; the trace itself is not bundled.
 */
export const AZURE_CONVERSATION = {
  source:
    'lengths fitted to the Azure LLM inference trace 2023, conversation (Azure Public Dataset, CC-BY 4.0)',
  ratePerSecond: 5.53,
  gapCv: 1.09,
  /** (share, tokens), ascending: the quantile function is linear between them. */
  promptQuantiles: [
    [0, 2],
    [0.01, 29],
    [0.05, 181],
    [0.1, 207],
    [0.25, 396],
    [0.4, 703],
    [0.5, 1020],
    [0.6, 1071],
    [0.75, 1189],
    [0.9, 2734],
    [0.95, 4083],
    [0.99, 4142],
    [0.999, 6179],
    [1, 14_050],
  ],
  outputQuantiles: [
    [0, 7],
    [0.01, 16],
    [0.05, 41],
    [0.1, 54],
    [0.25, 85],
    [0.4, 103],
    [0.5, 129],
    [0.6, 177],
    [0.75, 395],
    [0.9, 424],
    [0.95, 451],
    [0.99, 601],
    [0.999, 954],
    [1, 1000],
  ],
  /** Coefficient of the Gaussian copula that gives the trace's rank correlation of prompt and output, 0.073. */
  copulaCorrelation: 0.076,
} as const;
