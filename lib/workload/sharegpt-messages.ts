/** One message of a conversation. */
export interface Message {
  /** Said by the assistant: what a request produces. */
  readonly isAnswer: boolean;
  readonly isUser: boolean;
  readonly text: string;
  readonly tokenIds: readonly number[] | undefined;
}

const ANSWERS = new Set(['gpt', 'assistant', 'chatgpt', 'bing', 'bard', 'model']);
const USERS = new Set(['human', 'user']);
const CONTEXTS = new Set(['system', 'tool']);

/**
 * The messages of one conversation: `conversations`, `conversation` or `messages`, each with `from`
 * or `role`, and `value` or `content`, and perhaps `token_ids`.
 *
 * @throws Error naming the conversation, the message and the value
 */
export function readConversation(text: string, number: number): readonly Message[] {
  const where = `conversation ${number}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${where}: expected a JSON object`);
  }
  const object = value as Readonly<Record<string, unknown>>;
  const list = object.conversations ?? object.conversation ?? object.messages;
  if (!Array.isArray(list))
    throw new Error(
      `${where}: missing "conversations" (found ${Object.keys(object).join(', ') || 'nothing'})`,
    );
  return list.map((each, i) => readMessage(each, `${where}, message ${i + 1}`));
}

function readMessage(value: unknown, where: string): Message {
  if (typeof value !== 'object' || value === null)
    throw new Error(`${where}: ${JSON.stringify(value)} (expected an object)`);
  const fields = value as Readonly<Record<string, unknown>>;
  const from = fields.from ?? fields.role;
  const name = typeof from === 'string' ? from.toLowerCase() : '';
  if (!ANSWERS.has(name) && !USERS.has(name) && !CONTEXTS.has(name))
    throw new Error(
      `${where}: invalid from: ${JSON.stringify(from)} (expected ${[...USERS, ...ANSWERS, ...CONTEXTS].join(', ')})`,
    );
  const text = fields.value ?? fields.content;
  const ids = fields.token_ids;
  if (ids === undefined && typeof text !== 'string')
    throw new Error(`${where}: invalid value: ${JSON.stringify(text)} (expected a text)`);
  if (ids !== undefined && !isIds(ids))
    throw new Error(`${where}: invalid token_ids (expected a list of integers of 32 bits)`);
  return {
    isAnswer: ANSWERS.has(name),
    isUser: USERS.has(name),
    text: typeof text === 'string' ? text : '',
    tokenIds: ids,
  };
}

function isIds(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'number' && id === (id | 0));
}
