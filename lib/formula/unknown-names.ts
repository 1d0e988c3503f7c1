import { FUNCTION_NAMES, namesOf, type Scope } from './tree';

/** Names of other languages and papers, and what they are called here. */
const NAMES_HERE: Readonly<Record<string, string>> = {
  q_idx: 'q',
  qidx: 'q',
  q_index: 'q',
  query: 'q',
  query_idx: 'q',
  i: 'q',
  m: 'q',
  row: 'q',
  kv_idx: 'k',
  kvidx: 'k',
  k_idx: 'k',
  kv: 'k',
  kv_index: 'k',
  key: 'k',
  key_idx: 'k',
  j: 'k',
  n: 'k',
  col: 'k',
  column: 'k',
  head: 'h',
  h_idx: 'h',
  head_idx: 'h',
  batch: 'b',
  b_idx: 'b',
  batch_idx: 'b',
  num_heads: 'heads',
  n_heads: 'heads',
  H: 'heads',
  q_len: 'queries',
  Q_LEN: 'queries',
  kv_len: 'keys',
  KV_LEN: 'keys',
  seq_len: 'keys',
  seqlen: 'keys',
  S: 'keys',
  length: 'keys',
  True: '0 == 0',
  true: '0 == 0',
  False: '0 == 1',
  false: '0 == 1',
  pi: '3.14159265',
  e: '2.71828183',
  inf: 'what is hidden into the mask',
  Infinity: 'what is hidden into the mask',
  infinity: 'what is hidden into the mask',
  logit: 'score',
  s: 'score',
};

/** A name that a formula does not know: the nearest that it does, and all of them. */
export function unknownName(name: string, scope: Scope): string {
  if (name === 'score') {
    return 'score is known in a score formula only (a mask is decided before scores are)';
  }
  const known = [
    ...Object.keys(scope.variables),
    ...Object.keys(scope.numbers),
    ...Object.keys(scope.tables),
  ];
  const here = Object.hasOwn(NAMES_HERE, name) ? NAMES_HERE[name] : undefined;
  const isHere = here !== undefined && (known.includes(here) || !/^[a-z]+$/.test(here));
  const near = isHere ? here : nearest(name, known);
  const perhaps = near === undefined ? '' : ` (write ${near})`;
  return `unknown name: ${name}${perhaps} (known: ${namesOf(scope).join(', ')})`;
}

/** The known name with the fewest changes of letters from the given one, if they are few. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll('_', '');
  const wanted = plain(name);
  let best: string | undefined;
  // A third of the letters: in short words any other is near.
  let least = Math.floor(Math.max(wanted.length, 3) / 3) + 1;
  for (const each of known) {
    const candidate = plain(each);
    const isStart =
      wanted.length >= 3 && (candidate.startsWith(wanted) || wanted.startsWith(candidate));
    const distance =
      candidate === wanted
        ? 0
        : isStart && candidate.length >= 3
          ? 0.5
          : changes(wanted, candidate);
    // One letter is no trace of another, and short words must begin alike.
    const isTrace =
      distance === 0 || (candidate.length > 1 && (wanted.length > 3 || candidate[0] === wanted[0]));
    if (distance < least && isTrace) {
      best = each;
      least = distance;
    }
  }
  return best;
}

/** Letters put in, left out, exchanged, or swapped with their neighbour (optimal string alignment). */
function changes(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Array<number>(b.length + 1).fill(0);
    row[0] = i;
    return row;
  });
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let j = 1; j <= b.length; j++) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      (rows[i] as number[])[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return at(a.length, b.length);
}

/** Functions that are not in the language, by what to write with the arguments as they were written. */
const FUNCTIONS_HERE: Readonly<Record<string, (x: string, y: string, z: string) => string>> = {
  ceil: (x) => `-floor(-${x})`,
  round: (x) => `floor(${x} + 0.5)`,
  trunc: (x) => `floor(${x})`,
  int: (x) => `floor(${x})`,
  float: (x) => `${x} / 1`,
  sign: (x) => `${x} > 0 ? 1 : ${x} < 0 ? -1 : 0`,
  sigmoid: (x) => `1 / (1 + exp(-${x}))`,
  relu: (x) => `max(${x}, 0)`,
  square: (x) => `${x} * ${x}`,
  rsqrt: (x) => `1 / sqrt(${x})`,
  log10: (x) => `log(${x}) / 2.30258509`,
  log1p: (x) => `log(1 + ${x})`,
  expm1: (x) => `exp(${x}) - 1`,
  ln: (x) => `log(${x})`,
  pow: (x, y) => powerText(x, y),
  minimum: (x, y) => `min(${x}, ${y})`,
  maximum: (x, y) => `max(${x}, ${y})`,
  fmod: (x, y) => `${x} % ${y}`,
  remainder: (x, y) => `${x} % ${y}`,
  floordiv: (x, y) => `floor(${x} / ${y})`,
  floor_divide: (x, y) => `floor(${x} / ${y})`,
  div: (x, y) => `floor(${x} / ${y})`,
  clip: (x, y, z) => `clamp(${x}, ${y}, ${z})`,
  logical_and: (x, y) => `${x} && ${y}`,
  logical_or: (x, y) => `${x} || ${y}`,
  logical_not: (x) => `!${x}`,
  and_masks: (x, y) => `${x} && ${y}`,
  or_masks: (x, y) => `${x} || ${y}`,
  select: (x, y, z) => `${x} ? ${y} : ${z}`,
  cond: (x, y, z) => `${x} ? ${y} : ${z}`,
};

/** @param args the arguments as they were written */
export function unknownFunction(name: string, args: readonly string[], scope: Scope): string {
  if (Object.hasOwn(scope.variables, name) || Object.hasOwn(scope.numbers, name)) {
    return `${name} is a number and cannot be called (write ${name} * ${held(args[0] ?? 'x')})`;
  }
  const [x = 'x', y = 'y', z = 'z'] = args.map(held);
  const instead = Object.hasOwn(FUNCTIONS_HERE, name) ? FUNCTIONS_HERE[name]?.(x, y, z) : undefined;
  const functions = [...FUNCTION_NAMES, 'where', 'clamp'];
  const near = instead ?? nearest(name, [...functions, ...Object.keys(scope.tables)]);
  const perhaps = near === undefined ? '' : ` (write ${near})`;
  return `unknown function: ${name}${perhaps} (known: ${functions.join(', ')})`;
}

/** Held together by brackets, unless it is already. */
export const held = (text: string): string =>
  /^(?:[\w.]+|\w+\([^()]*\))$/.test(text) ? text : `(${text})`;

/** x to the power of y, as it can be written here. */
export function powerText(x: string, y: string): string {
  const exponent = Number(y);
  if (exponent === 0.5) return `sqrt(${x})`;
  if (Number.isInteger(exponent) && exponent >= 2 && exponent <= 4) {
    return Array.from({ length: exponent }, () => held(x)).join(' * ');
  }
  return x === '2' ? `exp2(${y})` : `exp2(${held(y)} * log2(${x}))`;
}

/** An operator that formulas do not have, between two texts. */
export function unknownOperator(operator: string, x = 'x', y = 'y'): string {
  const shift = /^\d+$/.test(y) && Number(y) < 24 ? String(2 ** Number(y)) : `exp2(${y})`;
  const instead: Readonly<Record<string, string>> = {
    '**': powerText(x, y),
    '^': `${powerText(x, y)}, or of conditions ${held(x)} ? !${held(y)} : ${held(y)}`,
    '<<': `${held(x)} * ${shift}`,
    '>>': `floor(${held(x)} / ${shift})`,
  };
  const hint = Object.hasOwn(instead, operator) ? ` (write ${instead[operator]})` : '';
  return `unknown operator: ${operator}${hint}`;
}
