import type { Arm, CheckGround, CheckProgress, Measured } from './types';

/** A name, and the arm; it may follow from what came before it. */
export type NamedArm = readonly [name: string, arm: (before: readonly Measured[]) => Arm];

/** The progress of a part of a check, in the share of it from one bound to the other. */
export function* inPart<R>(
  steps: Generator<CheckProgress, R>,
  from: number,
  to: number,
): Generator<CheckProgress, R> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield { ...step.value, fraction: from + (to - from) * step.value.fraction };
  }
}

/** Measures arm after arm, with progress after every context; and what was run, a line each. */
export function* runArms(
  { measure }: CheckGround,
  arms: readonly NamedArm[],
): Generator<CheckProgress, { readonly measured: Measured[]; readonly lines: string[] }> {
  const measured: Measured[] = [];
  const lines: string[] = [];
  for (const [at, [name, make]] of arms.entries()) {
    const arm = make(measured);
    const steps = measure(arm);
    let step = steps.next();
    while (!step.done) {
      yield { fraction: (at + step.value) / arms.length, phase: name };
      step = steps.next();
    }
    measured.push(step.value);
    lines.push(`${name}: ${armText(arm, step.value)}`);
  }
  return { measured, lines };
}

function armText(arm: Arm, { samples }: Measured): string {
  const { policyId, share, variant, task, contextTokens, protocol } = arm;
  const how = variant ? `, ${variant}` : '';
  const percent = Number((share * 100).toPrecision(3));
  return `${policyId} at ${percent} %${how}; ${samples} contexts of ${contextTokens} tokens of ${task}, the question ${protocol}`;
}
