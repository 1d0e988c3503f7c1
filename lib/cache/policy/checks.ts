import type { CachePolicy } from '../../spec/cache-policy';
import { show } from '../../spec/issues';
import type { TransformerConfig } from '../../transformer/types';
import { checkForm } from '../represent/checks';
import { needsOf, type Representation } from '../represent/representation';
import type { Protocol } from '../types';
import { checkReturns } from './checks-returns';
import { isQueryAware } from './needs';

/** Something about a policy that cannot work, or that will surprise. */
export interface PolicyIssue {
  readonly severity: 'error' | 'warning';
  /** Such as `action.groupChannels`. */
  readonly path: string;
  /** Such as `invalid groupChannels: 5 (expected a divisor of headSize 16)`. */
  readonly message: string;
  readonly value: unknown;
}

/** What a policy is about to run on, as far as it is known. */
export interface PolicyContext {
  readonly config?: Pick<TransformerConfig, 'headSize' | 'kvHeads' | 'layers'>;
  readonly contextTokens?: number;
  readonly protocol?: Protocol;
}

export type Report = (
  severity: PolicyIssue['severity'],
  path: string,
  value: unknown,
  expected: string,
) => void;

/** The static checks of the algebra: what fits together, by place and value. */
export function checkPolicy(policy: CachePolicy, context: PolicyContext = {}): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  const report: Report = (severity, path, value, expected) => {
    const name = path.split('.').at(-1)!;
    issues.push({
      severity,
      path,
      value,
      message: `${severity === 'error' ? 'invalid ' : ''}${name}: ${show(value)} (${expected})`,
    });
  };
  checkScorer(policy, context, report);
  checkActions(policy, context, report);
  checkHeads(policy, report);
  return issues;
}

function checkScorer(policy: CachePolicy, { protocol }: PolicyContext, report: Report): void {
  const { scorer, trigger, reducers, allocator, selector } = policy;
  const readsAttention = scorer.type === 'attention' || scorer.type === 'future-attention';
  if (scorer.type === 'attention' && trigger.type === 'every' && scorer.queries !== 'all') {
    if (scorer.queries !== 'last' && scorer.windowTokens > trigger.tokens) {
      report(
        'error',
        'scorer.windowTokens',
        scorer.windowTokens,
        `expected at most the ${trigger.tokens} tokens of a chunk: the window does not exist before`,
      );
    }
  }
  if (trigger.type === 'on-question' && !(readsAttention && hasWindow(scorer))) {
    report(
      'error',
      'trigger.type',
      trigger.type,
      `expected a scorer that reads the question's queries, not ${scorer.type}`,
    );
  }
  if (trigger.type === 'layer-cascade' && scorer.type === 'future-attention') {
    report('error', 'trigger.type', trigger.type, 'the future is not known layer by layer');
  }
  if (readsAttention && isQueryAware(policy) && protocol && protocol !== 'known') {
    report(
      'warning',
      'scorer.type',
      scorer.type,
      `the question is not in sight under the protocol ${protocol}: scores are those of the context's own queries`,
    );
  }
  if (
    allocator.type === 'entropy-variance' &&
    !(readsAttention && !(scorer.type === 'attention' && scorer.queries === 'all'))
  ) {
    report(
      'error',
      'allocator.type',
      allocator.type,
      `expected a scorer that reads a window's attention, not ${scorer.type}`,
    );
  }
  const sumsScores = selector.rule.type === 'top-p';
  if (sumsScores && !(readsAttention || scorer.type === 'expected-attention')) {
    report(
      'error',
      'selector.rule.type',
      selector.rule.type,
      `expected scores that sum to a whole, not those of ${scorer.type}`,
    );
  }
  if (reducers.rows.type === 'mean-variance' && !readsAttention) {
    report(
      'error',
      'reducers.rows.type',
      reducers.rows.type,
      `expected rows of attention, not a scorer ${scorer.type}`,
    );
  }
}

function hasWindow(scorer: CachePolicy['scorer']): boolean {
  return scorer.type === 'attention' && (scorer.queries === 'window' || scorer.queries === 'last');
}

function checkHeads({ allocator, classifier, reducers }: CachePolicy, report: Report): void {
  if (allocator.type === 'classes' && classifier.type === 'none') {
    report('error', 'classifier.type', classifier.type, 'the allocator classes needs one');
  }
  if (allocator.type !== 'classes' && classifier.type !== 'none') {
    report(
      'warning',
      'classifier.type',
      classifier.type,
      `the allocator ${allocator.type} does not read it`,
    );
  }
  if (allocator.type === 'ada' && reducers.heads === 'mean') {
    report(
      'error',
      'reducers.heads',
      reducers.heads,
      'expected none: scores that all heads share cannot be split between them',
    );
  }
}

function checkActions(policy: CachePolicy, context: PolicyContext, report: Report): void {
  const { action, keptAction, position, trigger } = policy;
  for (const [path, one] of [
    ['action', action],
    ['keptAction', keptAction],
  ] as const) {
    if (one.type === 'channel-prune' && one.rope === 'before' && !one.keepPairs) {
      report(
        'error',
        `${path}.keepPairs`,
        one.keepPairs,
        'expected true: before RoPE a channel without its pair cannot be rotated',
      );
    }
    if ((one.type === 'merge' || one.type === 'compensate') && !one.keepCount) {
      report(
        'warning',
        `${path}.keepCount`,
        one.keepCount,
        'biased: a merged slot gets the softmax weight of one token',
      );
    }
    if (one.type === 'quantise' || one.type === 'project') {
      checkForms(policy, one, path, context, report);
    }
    if (one.type === 'compensate' && position.type !== 'absolute') {
      report(
        'error',
        'position.type',
        position.type,
        'expected absolute: a mean of rotated keys cannot be rotated again',
      );
    }
    if (one.type === 'recompute' && position.type !== 'absolute') {
      report(
        'error',
        'position.type',
        position.type,
        'expected absolute: recomputed slots are found by their text positions',
      );
    }
  }
  if (keptAction.type !== 'none' && action.type !== 'evict') {
    report(
      'error',
      'keptAction.type',
      keptAction.type,
      `expected none: the action ${action.type} already owns slots`,
    );
  }
  if (keptAction.type === 'evict' || keptAction.type === 'compensate') {
    report('error', 'keptAction.type', keptAction.type, 'kept slots cannot be dropped');
  }
  checkReturns(policy, context, report);
  const actsAgain = trigger.type === 'on-append' || trigger.type === 'layer-cascade';
  if (actsAgain && (action.type !== 'evict' || keptAction.type !== 'none')) {
    report(
      'error',
      'trigger.type',
      trigger.type,
      `the action ${action.type === 'evict' ? keptAction.type : action.type} expects after-prefill or every: slots would be encoded again and again`,
    );
  }
}

/** The forms of an action, on the model it is to run on. */
function checkForms(
  { allocator }: CachePolicy,
  action: Extract<CachePolicy['action'], { type: 'quantise' | 'project' }>,
  path: string,
  { config, contextTokens }: PolicyContext,
  report: Report,
): void {
  const forms: [string, Representation][] = [[`${path}.form`, action.form]];
  if (action.type === 'quantise' && action.keptForm) {
    forms.push([`${path}.keptForm`, action.keptForm]);
  }
  for (const [at, form] of forms) {
    const isRagged = allocator.type === 'ada' || allocator.type === 'classes';
    if (action.slots === 'victims' && isRagged && needsOf(form).alignedHeads) {
      report(
        'error',
        `${at}.type`,
        form.type,
        `spans the heads of a layer, which the allocator ${allocator.type} leaves unlike numbers of slots`,
      );
    }
    if (!config) continue;
    for (const { severity, field, value, text } of checkForm(form, config, contextTokens)) {
      report(severity, `${at}.${field}`, value, text);
    }
  }
}

/** @throws RangeError with the first error of a policy and where it is */
export function assertPolicy(policy: CachePolicy, context: PolicyContext): void {
  const issue = checkPolicy(policy, context).find(({ severity }) => severity === 'error');
  if (issue) throw new RangeError(`${issue.message} at ${issue.path}`);
}
