import type { Method } from './types';

const plain = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, ' ');

/**
 * Methods whose name or text has every word of the query, in any order and whatever stands between
 * them: `flash attention` finds FlashAttention-2, `streaming llm` StreamingLLM.
 */
export function findMethods(methods: readonly Method[], query: string): readonly Method[] {
  const words = plain(query).split(' ').filter(Boolean);
  return methods.filter(({ id, name, says }) => {
    const text = plain(`${id} ${name} ${says}`);
    return words.every((word) => text.includes(word));
  });
}
