/** Minimal writer of the ONNX protobuf (onnx.proto3): one node, dynamic shapes. */

type Field = readonly [number, number | string | Uint8Array];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function message(...fields: readonly Field[]): Uint8Array {
  const bytes: number[] = [];
  for (const [number, value] of fields) {
    if (typeof value === 'number') bytes.push(...varint(number * 8), ...varint(value));
    else {
      const payload = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      bytes.push(...varint(number * 8 + 2), ...varint(payload.length), ...payload);
    }
  }
  return Uint8Array.from(bytes);
}

const FLOAT = 1;
const INT32 = 6;
const ATTRIBUTE_INT = 2;
const IR_VERSION = 8;

export interface NodeModel {
  readonly operator: string;
  readonly attributes: Readonly<Record<string, number>>;
  /** Rank of every input; an absent optional input has an empty name. */
  readonly inputs: readonly {
    readonly name: string;
    readonly rank: number;
    readonly isInt?: boolean;
  }[];
  readonly outputs: readonly { readonly name: string; readonly rank: number }[];
}

function valueInfo(name: string, rank: number, type: number): Uint8Array {
  const dims = Array.from({ length: rank }, (_, i): Field => [1, message([2, `${name}_${i}`])]);
  const tensor = message([1, type], [2, message(...dims)]);
  return message([1, name], [2, message([1, tensor])]);
}

/** A model with one node of the `com.microsoft` domain. */
export function oneNodeModel({ operator, attributes, inputs, outputs }: NodeModel): Uint8Array {
  const node = message(
    ...inputs.map(({ name }): Field => [1, name]),
    ...outputs.map(({ name }): Field => [2, name]),
    [4, operator],
    ...Object.entries(attributes).map(
      ([name, value]): Field => [5, message([1, name], [3, value], [20, ATTRIBUTE_INT])],
    ),
    [7, 'com.microsoft'],
  );
  const graph = message(
    [1, node],
    [2, 'bench'],
    ...inputs
      .filter(({ name }) => name !== '')
      .map(({ name, rank, isInt }): Field => [11, valueInfo(name, rank, isInt ? INT32 : FLOAT)]),
    ...outputs.map(({ name, rank }): Field => [12, valueInfo(name, rank, FLOAT)]),
  );
  return message(
    [1, IR_VERSION],
    [7, graph],
    [8, message([1, ''], [2, 17])],
    [8, message([1, 'com.microsoft'], [2, 1])],
  );
}
