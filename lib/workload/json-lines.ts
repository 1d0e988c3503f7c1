import { createRandom } from '../random/random';
import { MAX_REQUESTS, type WorkloadParams } from '../spec/kinds/workload';
import { createWorkloadBuilder } from './builder';
import type { WorkloadParser } from './csv';
import { DIALECTS, type Dialect, dialectOf, type JsonLinesOptions } from './json-dialects';
import { createSessions } from './sessions';
import { spreadTicks } from './spread-tick';
import type { Workload } from './types';

/** A line of this length holds two million token ids; it would otherwise be buffered whole. */
const MAX_LINE_CHARACTERS = 2 ** 24;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads requests from one JSON object a line, in pieces of any size: LLMServingSim's fields with
 * token ids, Mooncake's with hashes of token blocks, or plain ones. The first line says which. Lines
 * with a `session_id` are turns of a session: each is sent `tool_gap_s` after the one before it is
 * complete. A malformed line is an error that names it; a request above `maxTokensPerRequest` is left
 * out and counted; lines out of time order are sorted, and the notes say how many there were.
 */
export function createJsonLinesParser(
  params: WorkloadParams,
  source: JsonLinesOptions,
): WorkloadParser {
  const limit = Math.min(params.maxRequests, MAX_REQUESTS);
  const builder = createWorkloadBuilder();
  const sessions = createSessions();
  let dialect: Dialect | undefined;
  let tooLarge = 0;
  let line = 0;
  let rest = '';

  function fail(what: string): never {
    throw new Error(`line ${line}: ${what}`);
  }

  function parse(text: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return fail('expected a JSON object');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fail('expected a JSON object');
    return value as Fields;
  }

  function readIds(value: Fields, names: readonly string[]): readonly number[] | undefined {
    const lists = names.flatMap((name) => {
      const list = value[name];
      if (list === undefined) return [];
      if (!Array.isArray(list) || !list.every((id) => Number.isInteger(id)))
        return fail(`invalid ${name} (expected a list of integers)`);
      const wide = (list as readonly number[]).find((id) => id !== (id | 0));
      if (wide !== undefined) return fail(`invalid ${name}: ${wide} (expected 32 bits)`);
      return [list as readonly number[]];
    });
    return lists.length === 1 ? lists[0] : lists.length === 0 ? undefined : lists.flat();
  }

  /** A time from 0 in the unit of the field; undefined where it may be left out. */
  function readTime(value: Fields, name: string, isOptional: boolean): number | undefined {
    const found = value[name];
    if (found === undefined && isOptional) return undefined;
    if (typeof found === 'number' && found >= 0 && found < Infinity) return found;
    return fail(`invalid ${name}: ${JSON.stringify(found)} (expected a number from 0)`);
  }

  function readSession(value: Fields): string | undefined {
    const id = value.session_id;
    if (id === undefined || id === null) return undefined;
    if (typeof id === 'string' || typeof id === 'number') return String(id);
    return fail(`invalid session_id: ${JSON.stringify(id)} (expected a text or a number)`);
  }

  function readLine(text: string): void {
    line++;
    if (text.trim() === '') return;
    const value = parse(text);
    dialect ??= dialectOf(value);
    if (dialect === undefined) {
      const known = [...new Set(DIALECTS.map(({ prompt }) => `"${prompt}"`))];
      fail(`missing ${known.join(' or ')} (found ${Object.keys(value).join(', ')})`);
    }
    const count = (name: string): number => {
      const found = value[name];
      if (typeof found === 'number' && Number.isInteger(found) && found >= 1 && found < 2 ** 31)
        return found;
      return fail(`invalid ${name}: ${JSON.stringify(found)} (expected an integer from 1)`);
    };
    const session = readSession(value);
    const arrival = readTime(value, dialect.arrival, sessions.has(session));
    const gap = readTime(value, 'tool_gap_s', true);
    const priority = value.priority ?? 0;
    if (!Number.isInteger(priority) || Math.abs(priority as number) >= 2 ** 31)
      fail(`invalid priority: ${JSON.stringify(priority)} (expected an integer)`);
    const prompt = count(dialect.prompt);
    const output = count(dialect.output);
    const ids = readIds(value, dialect.ids);
    const seconds = arrival === undefined ? undefined : arrival / dialect.perSecond;
    if (prompt + output > params.maxTokensPerRequest) {
      tooLarge++;
      sessions.leftOut(session, seconds);
      return;
    }
    const turn = sessions.next(session, seconds, gap);
    const place = builder.add({
      ...turn,
      promptTokens: prompt,
      outputTokens: output,
      priority: priority as number,
      ids,
    });
    sessions.added(session, place, turn.seconds);
  }

  function toWorkload(): Workload {
    let offTick = 0;
    const random = createRandom(params.seed).fork('ticks');
    const { tickSpread, tickSeconds } = source;
    const columns = builder.build({
      tokensPerId: (dialect as Dialect).tokensPerId(source),
      rateScale: params.rateScale,
      keepPrograms: sessions.isUsed,
      spread: (sorted) => {
        const spread = spreadTicks(sorted, { mode: tickSpread, seconds: tickSeconds }, random);
        offTick = spread.offTick;
        return spread.times;
      },
    });
    const { count, unsorted, withoutIds } = builder;
    const name = source.fileName === '' ? 'the bound file' : source.fileName;
    const spreadText = tickSpread === 'uniform' ? 'drawn uniformly in' : 'spread in order over';
    return {
      ...columns,
      label: `${count} requests from ${name}`,
      source: [
        source.found === undefined ? name : `${name}: ${source.found}`,
        ...(tickSpread === 'none' ? [] : [`arrivals ${spreadText} their tick of ${tickSeconds} s`]),
      ].join('; '),
      seed: params.seed,
      notes: [
        // Turns of sessions interleave: the file is in no order of time.
        ...(unsorted > 0 && !sessions.isUsed
          ? [`${unsorted} lines were earlier than the line before them; all were sorted by time`]
          : []),
        ...(tooLarge > 0
          ? [
              `${tooLarge} lines above maxTokensPerRequest ${params.maxTokensPerRequest} were left out`,
            ]
          : []),
        ...(withoutIds > 0 ? [`${withoutIds} lines have no token ids: they share no prefix`] : []),
        ...(offTick > 0
          ? [`${offTick} arrivals are on no tick of ${tickSeconds} s and stay where they are`]
          : []),
        ...sessions.notes(),
        ...(count >= limit ? [`reading stopped at ${limit} requests`] : []),
      ],
    };
  }

  return {
    push(text) {
      if (builder.count >= limit) return;
      const pieces = (rest + text).split('\n');
      rest = pieces.pop() ?? '';
      for (const piece of pieces) if (builder.count < limit) readLine(piece);
      if (rest.length > MAX_LINE_CHARACTERS) {
        throw new Error(`line ${line + 1}: longer than ${MAX_LINE_CHARACTERS} characters`);
      }
    },
    get isFull() {
      return builder.count >= limit;
    },
    finish() {
      if (rest.trim() !== '' && builder.count < limit) readLine(rest);
      if (builder.count === 0) {
        throw new Error(
          tooLarge > 0
            ? `no request left: all ${tooLarge} lines are above maxTokensPerRequest ${params.maxTokensPerRequest}`
            : 'the file is empty',
        );
      }
      return toWorkload();
    },
  };
}
