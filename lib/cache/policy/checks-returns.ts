import type { CachePolicy } from '../../spec/cache-policy';
import type { PolicyContext, Report } from './checks';

/** Actions whose slots come back: what must hold for them to be found again. */
export function checkReturns(
  { action, keptAction, position, trigger, corrector, scorer }: CachePolicy,
  { config, contextTokens }: PolicyContext,
  report: Report,
): void {
  if (keptAction.type === 'offload' || keptAction.type === 'recompute') {
    report(
      'error',
      'keptAction.type',
      keptAction.type,
      'expected as the action: slots that are kept stay where attention reads them',
    );
  }
  if (action.type !== 'offload' && action.type !== 'recompute') return;
  if (trigger.type === 'every' || trigger.type === 'on-question') {
    report(
      'error',
      'trigger.type',
      trigger.type,
      `the action ${action.type} expects after-prefill: the slots are not there to be scored again`,
    );
  }
  if (corrector.type !== 'none') {
    report(
      'warning',
      'corrector.type',
      corrector.type,
      `the action ${action.type} does not read it: what comes back has no error`,
    );
  }
  if (action.type === 'offload') {
    if (action.fetch.type === 'pages' && position.type !== 'absolute') {
      report(
        'error',
        'position.type',
        position.type,
        'expected absolute: bounds of pages are those of keys at their text positions',
      );
    }
    if (action.fetch.type === 'pages' && contextTokens !== undefined) {
      if (action.pageTokens > contextTokens) {
        report(
          'warning',
          'action.pageTokens',
          action.pageTokens,
          `one page holds all of the ${contextTokens} tokens, so that every query fetches all`,
        );
      }
    }
    return;
  }
  if (action.share > 0 && action.share < 1) {
    const decides = scorer.type === 'random' ? ', and random scores choose them' : '';
    report(
      'warning',
      'action.share',
      action.share,
      `approximate: tokens are computed again over a past with holes${decides}`,
    );
  }
  if (action.share === 0) {
    report('warning', 'action.share', action.share, 'no ids are kept: this is evict');
  }
  if (config && action.fromLayer >= config.layers) {
    report(
      'error',
      'action.fromLayer',
      action.fromLayer,
      `expected 0..${config.layers - 1}: no layer would drop anything`,
    );
  }
}
