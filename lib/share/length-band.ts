/** Where a link of a given length survives. */
export interface LengthBand {
  readonly id: 'everywhere' | 'not-email' | 'file';
  readonly label: string;
}

/** Up to 2,000 characters works everywhere; mail cuts above that, chat above 4,000. */
export function lengthBand(characters: number): LengthBand {
  if (characters <= 2000) return { id: 'everywhere', label: 'works everywhere' };
  if (characters <= 4000) return { id: 'not-email', label: 'too long for some e-mail programs' };
  return { id: 'file', label: 'too long for mail and chat: download the file instead' };
}
