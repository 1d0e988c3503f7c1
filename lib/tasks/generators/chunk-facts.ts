import type { Random } from '../../random/random';
import { drawDistinct, placeStatements } from '../place';
import type { TaskSample, TaskSize, Turn } from '../types';
import { IS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface ChunkFactsOptions extends TaskSize {
  readonly documents: number;
  /** Plain facts of each document. */
  readonly facts: number;
  readonly asks: 'all' | 'single-hop' | 'two-hop' | 'conflict';
  /** Questions asked, kinds mixed. */
  readonly questions: number;
}

interface Asked {
  readonly kind: string;
  readonly name: number;
  readonly answer: readonly number[];
  /** [document, statement of the document] of what is needed. */
  readonly needs: readonly (readonly [number, number])[];
}

/** Questions of each kind that a context can be asked. */
export function chunkQuestions(options: Pick<ChunkFactsOptions, 'documents' | 'facts' | 'asks'>) {
  const { documents, facts, asks } = options;
  const pairs = documents >> 1;
  return {
    single: asks === 'all' || asks === 'single-hop' ? documents * facts : 0,
    twoHop: asks === 'all' || asks === 'two-hop' ? pairs : 0,
    conflict: asks === 'all' || asks === 'conflict' ? pairs : 0,
  };
}

/**
 * Documents of facts, each encodable on its own: what CacheBlend (Yao et al., 2024), APE (Yang et al.,
 * 2025) and their kin are judged by. Single-hop: a fact of one document. Two-hop: a document names an
 * alias that a later one resolves. Conflict: a name has a value in two documents, the later one counts.
 */
export function generateChunkFacts(options: ChunkFactsOptions, random: Random): TaskSample {
  const { contextTokens, documents, facts, asks, questions } = options;
  const pairs = documents >> 1;
  const names = drawDistinct(NAME_TOKENS, documents * facts + 3 * pairs, random);
  let taken = 0;
  const name = () => names[taken++] as number;
  const number = () => NUMBER_TOKENS[random.integer(0, NUMBER_TOKENS.length - 1)] as number;
  const held: number[][][] = Array.from({ length: documents }, () => []);
  const asked: Asked[] = [];
  const put = (document: number, tokens: number[]) =>
    [document, (held[document] as number[][]).push(tokens) - 1] as const;
  for (let document = 0; document < documents; document++) {
    for (let i = 0; i < facts; i++) {
      const fact = { name: name(), answer: [number()] };
      const needs = [put(document, statement(fact.name, fact.answer))];
      if (asks === 'all' || asks === 'single-hop') {
        asked.push({ kind: 'single-hop', ...fact, needs });
      }
    }
  }
  const order = Array.from({ length: documents }, (_, i) => i);
  for (let pair = 0; pair < pairs; pair++) {
    if (asks === 'all' || asks === 'two-hop') {
      const [first, later] = twoOf(order, random);
      const [key, alias, value] = [name(), name(), number()];
      const needs = [put(first, statement(key, [alias])), put(later, statement(alias, [value]))];
      asked.push({ kind: 'two-hop', name: key, answer: [alias, IS, value], needs });
    }
    if (asks === 'all' || asks === 'conflict') {
      const [first, later] = twoOf(order, random);
      const key = name();
      const [old, value] = drawDistinct(NUMBER_TOKENS, 2, random) as [number, number];
      put(first, statement(key, [old]));
      const needs = [put(later, statement(key, [value]))];
      asked.push({ kind: 'conflict', name: key, answer: [value], needs });
    }
  }

  const context: number[] = [];
  const chunkStarts: number[] = [];
  const spans = held.map((statements, document) => {
    const start = Math.floor((contextTokens * document) / documents);
    const end = Math.floor((contextTokens * (document + 1)) / documents);
    const isFirst = document === 0;
    const placed = placeStatements(
      statements.map((tokens) => ({ tokens })),
      end - start + (isFirst ? 0 : 1),
      random,
    );
    // Only the first document begins the sequence.
    const cut = isFirst ? 0 : 1;
    chunkStarts.push(start);
    context.push(...placed.context.slice(cut));
    return placed.spans.map(([a, b]) => [start + a - cut, start + b - cut] as const);
  });
  const turns: Turn[] = drawDistinct(asked, Math.min(questions, asked.length), random).map(
    ({ kind, name: key, answer, needs }) => {
      const evidence = needs.map(
        ([document, at]) => spans[document]?.[at] as readonly [number, number],
      );
      return {
        kind,
        question: question(key),
        answer,
        evidence,
        depth: (evidence[0]?.[0] as number) / contextTokens,
      };
    },
  );
  return { context, turns, chunkStarts };
}

function twoOf(documents: readonly number[], random: Random): [number, number] {
  return drawDistinct(documents, 2, random).sort((a, b) => a - b) as [number, number];
}
