import { NOTEBOOK_VERSION } from './notebook';

/**
 * One upgrader per released version but the newest: it takes a document of that version and gives
 * one of the next. They work on `unknown` and never on today's types, which drift.
 */
const upgraders: Readonly<Record<number, (document: unknown) => unknown>> = {};

/** Throws unless the chain from version 1 to the newest is complete and ends there. */
export function assertCompleteChain(
  chain: Readonly<Record<number, unknown>>,
  newest: number,
): void {
  const expected = Array.from({ length: newest - 1 }, (_, i) => String(i + 1));
  if (Object.keys(chain).join() !== expected.join()) {
    throw new Error(
      `upgraders from versions ${Object.keys(chain).join(', ')} (expected ${expected.join(', ')})`,
    );
  }
}
assertCompleteChain(upgraders, NOTEBOOK_VERSION);

export type Upgraded =
  | { readonly kind: 'current'; readonly document: unknown }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'no-version'; readonly value: unknown };

/** Brings a document of any released version to the newest. A missing version is version 1. */
export function upgrade(document: unknown): Upgraded {
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document);
  if (!isObject) return { kind: 'current', document };
  const version: unknown = 'version' in document ? document.version : 1;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    return { kind: 'no-version', value: version };
  }
  if (version > NOTEBOOK_VERSION) return { kind: 'newer', version };
  let current: unknown = document;
  for (let v = version; v < NOTEBOOK_VERSION; v++) current = upgraders[v]?.(current);
  return { kind: 'current', document: current };
}
