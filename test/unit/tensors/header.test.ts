import { describe, expect, test } from 'vitest';
import { MAX_HEADER_BYTES, readTensorHeader } from '../../../lib/tensors/header';
import { fileOf } from './arbitrary';

const entry = (shape: string, offsets: string, dtype = '"F32"') =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;
const q = (shape: string, offsets: string, dtype?: string) =>
  `{"q":${entry(shape, offsets, dtype)}}`;

test('reads entries, metadata and padding', async () => {
  const header = ` {"__metadata__":{"format":"pt","__proto__":"kept"},"b":${entry('[2]', '[4,12]')},"a":${entry('[]', '[0, 4]')},"e":${entry('[0,7]', '[12,12]', '"I64"')}}   `;
  const read = await readTensorHeader(fileOf(header, 12));
  const start = 8 + header.length;
  expect([...read.metadata]).toEqual([
    ['format', 'pt'],
    ['__proto__', 'kept'],
  ]);
  expect([...read.tensors.values()]).toEqual([
    { name: 'b', dtype: 'F32', shape: [2], start: start + 4, end: start + 12 },
    { name: 'a', dtype: 'F32', shape: [], start, end: start + 4 },
    { name: 'e', dtype: 'I64', shape: [0, 7], start: start + 12, end: start + 12 },
  ]);
  expect(Object.prototype).not.toHaveProperty('format');
});

describe('a broken file is refused with a sentence', () => {
  const cases: readonly [name: string, file: Blob, message: string][] = [
    [
      'too short',
      new Blob(['1234567']),
      "not a safetensors file: 7 bytes (expected at least 8, the header's length)",
    ],
    [
      'header above the bound',
      fileOf('{}', 0, BigInt(MAX_HEADER_BYTES) + 1n),
      'not a safetensors file, or damaged: a header of 16777217 bytes (expected at most 16777216)',
    ],
    [
      'a length of 2^64 - 1',
      fileOf('{}', 0, 2n ** 64n - 1n),
      'not a safetensors file, or damaged: a header of 18446744073709551615 bytes (expected at most 16777216)',
    ],
    [
      'header beyond the file',
      fileOf('{}', 0, 30n),
      'the file is cut off: its header ends at byte 38, the file at byte 10',
    ],
    [
      'no UTF-8',
      fileOf(new Uint8Array([0x7b, 0xff, 0x7d])),
      'not a safetensors file, or damaged: the header is not UTF-8 text',
    ],
    ['empty header', fileOf(''), 'the JSON ends too early at character 0 of the header'],
    ['a list', fileOf('[]'), 'invalid header: expected a JSON object of tensors'],
    ['a cut object', fileOf('{"q":'), 'the JSON ends too early at character 5 of the header'],
    ['a cut string', fileOf('{"q'), 'a string without an end at character 1 of the header'],
    ['a bad escape', fileOf('{"\\x":1}'), 'malformed string at character 1 of the header'],
    ['a trailing comma', fileOf('{"q":1,}'), 'expected a string at character 7 of the header'],
    ['no comma', fileOf('{"q":1 "r":2}'), 'expected , or } at character 7 of the header'],
    ['no colon', fileOf('{"q" 1}'), 'expected : at character 5 of the header'],
    ['a bare word', fileOf('{"q":NaN}'), 'expected a value at character 5 of the header'],
    ['two values', fileOf('{} {}'), 'text after the JSON at character 3 of the header'],
    [
      'a name twice',
      fileOf(`{"q":${entry('[1]', '[0,4]')},"q":${entry('[1]', '[4,8]')}}`, 8),
      'duplicate name "q" at character 54 of the header',
    ],
    [
      'the same name under another spelling',
      fileOf(`{"q":{"dtype":"F32","d\\u0074ype":"F16"}}`),
      'duplicate name "dtype" at character 20 of the header',
    ],
    [
      'nesting',
      fileOf('{"q":{"shape":[[1]]}}'),
      'nested deeper than 3 levels at character 15 of the header',
    ],
    ['no object', fileOf('{"q":3}'), 'tensor "q": invalid entry: 3 (expected an object)'],
    [
      '__proto__ as a tensor',
      fileOf('{"__proto__":{"dtype":"F32"}}'),
      'tensor "__proto__": invalid shape: nothing (expected a list of integers from 0)',
    ],
    ['an unknown field', fileOf('{"q":{"strides":[1]}}'), 'tensor "q": unknown field "strides"'],
    [
      'an unknown dtype',
      fileOf(q('[1]', '[0,4]', '"F33"'), 4),
      'tensor "q": invalid dtype: "F33" (expected one of BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64, C64)',
    ],
    [
      'a dtype of the prototype',
      fileOf(q('[1]', '[0,4]', '"toString"'), 4),
      'tensor "q": invalid dtype: "toString" (expected one of BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64, C64)',
    ],
    ...(['[1.5]', '[-1]', '["1"]', '[9007199254740992]', '1', '{}'] as const).map(
      (shape): [string, Blob, string] => [
        `shape ${shape}`,
        fileOf(q(shape, '[0,4]'), 4),
        `tensor "q": invalid shape: ${shape === '{}' ? 'an object' : shape} (expected a list of integers from 0)`,
      ],
    ),
    ...(['[0]', '[0,4,8]', '[4,0]', '[0,4.5]', '[-4,0]'] as const).map(
      (offsets): [string, Blob, string] => [
        `offsets ${offsets}`,
        fileOf(q('[1]', offsets), 4),
        `tensor "q": invalid data_offsets: ${offsets} (expected [begin, end], begin at most end)`,
      ],
    ),
    [
      'offsets beyond the file',
      fileOf(q('[2]', '[0,8]'), 7),
      'tensor "q": data_offsets [0, 8] end after the file\'s 7 bytes of data: the file is cut off or damaged',
    ],
    [
      'a shape that does not fit',
      fileOf(q('[3]', '[0,8]'), 8),
      'tensor "q": 8 bytes of data (expected 12 for F32 of shape [3])',
    ],
    [
      'a product beyond exact integers',
      fileOf(q('[4294967296,4294967296]', '[0,0]')),
      'tensor "q": 0 bytes of data (expected 73786976294838210000 for F32 of shape [4294967296, 4294967296])',
    ],
    [
      'overlap',
      fileOf(`{"q":${entry('[2]', '[0,8]')},"k":${entry('[2]', '[4,12]')}}`, 12),
      'tensor "k" overlaps tensor "q" in bytes 120..123 of the file',
    ],
    [
      'a gap',
      fileOf(`{"q":${entry('[1]', '[0,4]')},"k":${entry('[1]', '[8,12]')}}`, 12),
      'bytes 120..123 of the file, between tensor "q" and tensor "k", belong to no tensor',
    ],
    [
      'a gap at the start',
      fileOf(q('[1]', '[4,8]'), 8),
      'bytes 62..65 of the file, between the header and tensor "q", belong to no tensor',
    ],
    [
      'bytes after the last tensor',
      fileOf(q('[1]', '[0,4]'), 9),
      'bytes 66..70 of the file, after tensor "q", belong to no tensor',
    ],
    [
      'metadata that is no object',
      fileOf('{"__metadata__":"x"}'),
      'invalid __metadata__: "x" (expected an object of strings)',
    ],
    [
      'metadata that is no text',
      fileOf('{"__metadata__":{"tokens":["a"]}}'),
      'invalid __metadata__ "tokens": ["a"] (expected a string)',
    ],
  ];
  test.each(cases)('%s', async (_name, file, message) => {
    await expect(readTensorHeader(file)).rejects.toThrow(new Error(message));
  });
});

test('a long string and many names are read without recursion', async () => {
  const long = 'x\\n'.repeat(1_000_000);
  const { metadata } = await readTensorHeader(fileOf(`{"__metadata__":{"tokens":"${long}"}}`));
  expect(metadata.get('tokens')).toHaveLength(2_000_000);
});
