import type { Random } from '../../random/random';
import { drawDistinct, placeStatements, type Statement } from '../place';
import type { ContextEdit, TaskSample, TaskSize, Turn } from '../types';
import { NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface EditedFactsOptions extends TaskSize {
  /** Facts that the edit leaves alone. */
  readonly others: number;
  readonly edit: ContextEdit['kind'];
  /** Place of the edited span, 0..1; uniform when absent. */
  readonly depth?: number | undefined;
}

type Span = readonly [number, number];

/**
 * A text and an edit of it, for caches that follow edits (PIE; He et al., 2024): what is asked holds
 * only after the edit. Insert: a later statement of a name takes over. Delete: the later of two
 * statements goes, the earlier counts again. Replace: a value changes. Facts that were left alone are
 * asked for too.
 */
export function generateEditedFacts(options: EditedFactsOptions, random: Random): TaskSample {
  const { contextTokens, others, edit, depth } = options;
  const names = drawDistinct(NAME_TOKENS, 1 + others, random);
  const name = names[0] as number;
  const [old, fresh] = drawDistinct(NUMBER_TOKENS, 2, random) as [number, number];
  const otherValues = names
    .slice(1)
    .map(() => NUMBER_TOKENS[random.integer(0, NUMBER_TOKENS.length - 1)] as number);
  const edited = depth ?? random.uniform();
  const statements: Statement[] = [
    { tokens: statement(name, [fresh]), depth: edited },
    ...otherValues.map((value, i) => ({ tokens: statement(names[i + 1] as number, [value]) })),
  ];
  // The earlier statement comes first in the list too: it keeps its order where the places are equal.
  if (edit !== 'replace') {
    statements.unshift({ tokens: statement(name, [old]), depth: edited * random.uniform() });
  }
  const target = edit === 'replace' ? 0 : 1;
  const longer = edit === 'delete' ? statement(name, [fresh]).length : 0;
  const placed = placeStatements(statements, contextTokens + longer, random);
  const [start, end] = placed.spans[target] as Span;
  const cutOut = [...placed.context.slice(0, start), ...placed.context.slice(end)];
  const span = (index: number): Span => {
    const [a, b] = placed.spans[index] as Span;
    return edit === 'delete' && a >= end ? [a - longer, b - longer] : [a, b];
  };

  const turnAbout = (kind: string, asked: number, answer: number, evidence: Span): Turn => ({
    kind,
    question: question(asked),
    answer: [answer],
    evidence: [evidence],
    depth: evidence[0] / contextTokens,
  });
  const touched =
    edit === 'delete'
      ? turnAbout('deleted', name, old, span(0))
      : turnAbout(edit === 'insert' ? 'inserted' : 'replaced', name, fresh, span(target));
  const untouched = otherValues.map((value, i) =>
    turnAbout('left alone', names[i + 1] as number, value, span(target + 1 + i)),
  );
  const turns = [touched, ...drawDistinct(untouched, Math.min(4, untouched.length), random)];
  if (edit === 'insert') {
    const inserted = placed.context.slice(start, end);
    return {
      context: placed.context,
      turns,
      edit: { kind: edit, before: cutOut, start, removed: 0, inserted },
    };
  }
  if (edit === 'delete') {
    return {
      context: cutOut,
      turns,
      edit: { kind: edit, before: placed.context, start, removed: end - start, inserted: [] },
    };
  }
  const at = start + 2;
  const before = placed.context.with(at, old);
  return {
    context: placed.context,
    turns,
    edit: { kind: edit, before, start: at, removed: 1, inserted: [fresh] },
  };
}
