import fc from 'fast-check';

const int = (min: number, max: number) => fc.integer({ min, max });
const of = <T extends Record<string, fc.Arbitrary<unknown>>>(
  fields: T,
  required: keyof T & string,
) => fc.record(fields, { requiredKeys: [required] });

const gap = fc.oneof(
  of({ shape: fc.constant('exponential'), meanSeconds: int(0, 60) }, 'shape'),
  of({ shape: fc.constant('mixture'), slowShare: fc.constantFrom(0, 0.2, 1) }, 'shape'),
  of({ shape: fc.constant('log-normal'), medianSeconds: int(1, 9) }, 'shape'),
  of({ shape: fc.constant('pareto'), tailIndex: int(1, 5) }, 'shape'),
);

/** Any source of synthetic requests, as a document may have it. */
export const syntheticSource = of(
  {
    type: fc.constant('synthetic'),
    requests: int(1, 5000),
    tokensPerId: fc.constantFrom(1, 16, 64),
    arrivals: fc.oneof(
      fc.record({ process: fc.constantFrom('poisson', 'uniform') }),
      of({ process: fc.constant('gamma'), gapCv: int(1, 9) }, 'process'),
    ),
    lengths: fc.oneof(
      fc.record({ model: fc.constant('azure-2023-conversation') }),
      of({ model: fc.constant('fixed'), promptTokens: int(1, 999) }, 'model'),
      of({ model: fc.constant('log-normal'), promptMedian: int(1, 5000) }, 'model'),
      of({ model: fc.constant('log-normal-mean'), promptSigma: int(0, 2) }, 'model'),
      of(
        {
          model: fc.constant('mix'),
          kinds: fc.array(
            fc.record(
              { name: fc.constantFrom('chat', 'code'), share: int(0, 5), priority: int(-3, 3) },
              { requiredKeys: [] },
            ),
            { minLength: 1, maxLength: 4 },
          ),
        },
        'model',
      ),
    ),
    sharing: fc.oneof(
      fc.record({ type: fc.constant('none') }),
      of({ type: fc.constant('groups'), groups: int(1, 99), prefixTokens: int(1, 999) }, 'type'),
      of({ type: fc.constant('chunks'), documents: int(4, 99), chunkTokens: int(64, 999) }, 'type'),
    ),
    limits: fc.oneof(
      fc.constant({ type: 'none' }),
      of({ type: fc.constant('mix'), deadlineShare: int(0, 3), groupRequests: int(1, 9) }, 'type'),
    ),
    images: fc.oneof(
      fc.constant({ type: 'none' }),
      fc.record({
        type: fc.constant('uniform'),
        least: int(0, 3),
        most: int(3, 9),
        tokensPerImage: int(1, 50),
      }),
    ),
    program: fc.oneof(
      fc.record({ type: fc.constant('none') }),
      of({ type: fc.constant('chat'), turnsMean: int(1, 9), gap }, 'type'),
      of({ type: fc.constant('agent'), turnsDeviation: int(0, 5), gap }, 'type'),
      of(
        { type: fc.constant('fork-join'), branches: int(1, 6), plansFirst: fc.boolean(), gap },
        'type',
      ),
    ),
  },
  'type',
);
