import type { Random } from '../../random/random';
import { drawDistinct, placeStatements } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface StreamFactsOptions extends TaskSize {
  readonly subjects: number;
  readonly frames: number;
  /** Subjects that a frame after the first speaks of. */
  readonly moves: number;
  /** Probability that a frame repeats a subject's state instead of changing it. */
  readonly redundancy: number;
}

/** Statements of the whole stream. */
export function streamStatements(options: Omit<StreamFactsOptions, 'contextTokens'>): number {
  const { subjects, frames, moves } = options;
  return subjects + (frames - 1) * Math.min(moves, subjects);
}

/**
 * Stream question answering: a state machine in frames. The first frame states every subject, each
 * later one some of them; the questions ask how things are now, so the latest statement counts and
 * its age is its depth. Frames are the chunks.
 */
export function generateStreamFacts(options: StreamFactsOptions, random: Random): TaskSample {
  const { contextTokens, subjects, frames, redundancy } = options;
  const moves = Math.min(options.moves, subjects);
  const names = drawDistinct(NAME_TOKENS, subjects, random);
  const state = names.map(() => NUMBER_TOKENS[random.integer(0, 99)] as number);
  const all = names.map((_, i) => i);
  const latest = new Map<number, readonly [number, number]>();
  const context: number[] = [];
  const chunkStarts: number[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const spoken = frame === 0 ? all : drawDistinct(all, moves, random);
    if (frame > 0) {
      for (const subject of spoken) {
        if (random.uniform() < redundancy) continue;
        const others = NUMBER_TOKENS.filter((value) => value !== state[subject]);
        state[subject] = others[random.integer(0, others.length - 1)] as number;
      }
    }
    const before = statementsBefore(frame);
    const stated = statementsBefore(frame + 1);
    const total = statementsBefore(frames);
    const room = contextTokens - 1 - 4 * total;
    // Filler is shared out by statements, so that frames of more statements are longer.
    const start = frame === 0 ? 0 : 1 + 4 * before + Math.floor((room * before) / total);
    const end = 1 + 4 * stated + Math.floor((room * stated) / total);
    const cut = frame === 0 ? 0 : 1;
    const placed = placeStatements(
      spoken.map((subject) => ({
        tokens: statement(names[subject] as number, [state[subject] as number]),
      })),
      end - start + cut,
      random,
    );
    chunkStarts.push(start);
    context.push(...placed.context.slice(cut));
    spoken.forEach((subject, i) => {
      const [a, b] = placed.spans[i] as readonly [number, number];
      latest.set(subject, [start + a - cut, start + b - cut]);
    });
  }
  return {
    context,
    chunkStarts,
    turns: drawDistinct(all, subjects, random).map((subject) => {
      const span = latest.get(subject) as readonly [number, number];
      return {
        kind: 'now',
        question: question(names[subject] as number),
        answer: [state[subject] as number],
        evidence: [span],
        depth: span[0] / contextTokens,
      };
    }),
  };

  function statementsBefore(frame: number): number {
    return frame === 0 ? 0 : subjects + (frame - 1) * moves;
  }
}
