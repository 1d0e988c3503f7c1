import { createRandom } from '../random/random';
import { MAX_REQUESTS, type WorkloadParams } from '../spec/kinds/workload';
import { createWorkloadBuilder } from './builder';
import type { WorkloadParser } from './csv';
import { createObjectScanner } from './json-objects';
import { type Message, readConversation } from './sharegpt-messages';
import { type StandIn, standInIds, standInText } from './tokenizer-stand-in';

export interface ShareGptOptions {
  readonly fileName: string;
  readonly conversationsPerSecond: number;
  readonly thinkMeanSeconds: number;
  readonly standIn: StandIn['type'];
  readonly charactersPerToken: number;
  /** What the file was taken for. */
  readonly found: string;
}

/**
 * Reads conversations of the ShareGPT form: a list of objects, or one a line, with `conversations` of
 * messages. Each answer of the assistant is a request whose prompt is all that was said before it,
 * and follows the answer before it after a pause. Tokens are the messages' `token_ids`, or else those
 * of a stand-in that is no tokenizer, as the source of the workload says. The file has no times:
 * conversations begin as a Poisson process of the seed.
 */
export function createShareGptParser(
  params: WorkloadParams,
  options: ShareGptOptions,
): WorkloadParser {
  const limit = Math.min(params.maxRequests, MAX_REQUESTS);
  const standIn = { type: options.standIn, charactersPerToken: options.charactersPerToken };
  const builder = createWorkloadBuilder();
  const random = createRandom(params.seed);
  const starts = random.fork('starts');
  const pauses = random.fork('pauses');
  let start = 0;
  let conversations = 0;
  let withIds = 0;
  let withoutIds = 0;
  let empty = 0;
  let unasked = 0;
  let tooLarge = 0;

  function idsOf(message: Message): readonly number[] {
    if (message.tokenIds === undefined) withoutIds++;
    else withIds++;
    return message.tokenIds ?? standInIds(message.text, standIn);
  }

  function addConversation(messages: readonly Message[]): void {
    const said: number[] = [];
    let before: { readonly place: number; readonly seconds: number } | undefined;
    let hasAsked = false;
    for (const message of messages) {
      const ids = idsOf(message);
      const prompt = said.length;
      for (const id of ids) said.push(id);
      if (!message.isAnswer) {
        hasAsked ||= message.isUser;
        continue;
      }
      if (ids.length === 0) empty++;
      else if (prompt === 0) unasked++;
      else if (said.length > params.maxTokensPerRequest) tooLarge++;
      else if (builder.count < limit) {
        if (before === undefined && conversations++ > 0)
          start += starts.exponential() / options.conversationsPerSecond;
        const gapSeconds =
          before !== undefined && hasAsked ? options.thinkMeanSeconds * pauses.exponential() : 0;
        const seconds = before === undefined ? start : before.seconds + gapSeconds;
        const place = builder.add({
          seconds,
          promptTokens: prompt,
          outputTokens: ids.length,
          ids: said,
          programId: conversations - 1,
          predecessors: before === undefined ? [] : [before.place],
          gapSeconds,
        });
        before = { place, seconds };
        hasAsked = false;
      }
    }
  }

  const scanner = createObjectScanner((text, number) => {
    addConversation(readConversation(text, number));
    return builder.count < limit;
  });

  return {
    push: (text) => scanner.push(text),
    get isFull() {
      return builder.count >= limit;
    },
    finish() {
      scanner.finish();
      const leftOut = [
        ...(empty > 0 ? [`${empty} empty answers were left out`] : []),
        ...(unasked > 0
          ? [`${unasked} answers with nothing before them are context, not requests`]
          : []),
        ...(tooLarge > 0
          ? [
              `${tooLarge} requests above maxTokensPerRequest ${params.maxTokensPerRequest} were left out`,
            ]
          : []),
      ];
      if (builder.count === 0)
        throw new Error(
          leftOut.length === 0 ? 'the file is empty' : `no request left: ${leftOut.join(', ')}`,
        );
      const name = options.fileName === '' ? 'the bound file' : options.fileName;
      const tokens =
        withoutIds === 0
          ? "tokens are the file's token_ids"
          : `tokens are ${standInText(standIn)}${withIds > 0 ? ` (${withIds} messages have token_ids)` : ''}`;
      return {
        ...builder.build({ tokensPerId: 1, rateScale: params.rateScale }),
        label: `${builder.count} requests of ${conversations} conversations from ${name}`,
        source: `${name}: ${options.found}; ${tokens}; starts drawn at ${options.conversationsPerSecond}/s, pauses with mean ${options.thinkMeanSeconds} s; no chat template`,
        seed: params.seed,
        notes: [
          ...(withIds > 0 && withoutIds > 0
            ? [
                `${withoutIds} messages have no token_ids: their tokens are an estimate, and share no prefix with real ids`,
              ]
            : []),
          ...leftOut,
          ...(builder.count >= limit ? [`reading stopped at ${limit} requests`] : []),
        ],
      };
    },
  };
}
