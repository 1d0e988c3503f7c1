/** Typed arrays that results may hold, by the name that their JSON form carries. */
const ARRAY_TYPES = {
  f32: Float32Array,
  f64: Float64Array,
  i16: Int16Array,
  i32: Int32Array,
  u8: Uint8Array,
  u32: Uint32Array,
} as const;
type DType = keyof typeof ARRAY_TYPES;
type ResultArray = InstanceType<(typeof ARRAY_TYPES)[DType]>;

const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
/** Arguments per call of `String.fromCharCode`; engines differ in how many they take. */
const CHUNK = 8192;

function dtypeOf(array: ArrayBufferView): DType | undefined {
  return (Object.keys(ARRAY_TYPES) as DType[]).find((name) => array instanceof ARRAY_TYPES[name]);
}

/** The bytes in reverse order per element, where the machine is not little-endian. */
function littleEndian(bytes: Uint8Array, bytesPerElement: number): Uint8Array {
  if (IS_LITTLE_ENDIAN || bytesPerElement === 1) return bytes;
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const place = i % bytesPerElement;
    swapped[i - place + (bytesPerElement - 1 - place)] = bytes[i] as number;
  }
  return swapped;
}

function toBase64(array: ResultArray): string {
  const bytes = littleEndian(
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    array.BYTES_PER_ELEMENT,
  );
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK)
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

function fromBase64(dtype: DType, base64: string, at: string): ResultArray {
  const type = ARRAY_TYPES[dtype];
  let text: string;
  try {
    text = atob(base64);
  } catch {
    throw new Error(`invalid base64 at ${at}`);
  }
  if (text.length % type.BYTES_PER_ELEMENT !== 0)
    throw new Error(
      `invalid length: ${text.length} bytes (expected a multiple of ${type.BYTES_PER_ELEMENT}) at ${at}`,
    );
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return new type(littleEndian(bytes, type.BYTES_PER_ELEMENT).buffer as ArrayBuffer);
}

/**
 * A result as JSON data, exact to the bit: typed arrays as `{$array, base64}` of little-endian
 * bytes, NaN and the infinities as `{$number}`. Fields that are undefined are left out.
 * @throws Error on anything that results do not hold, such as a Date or another array type
 */
export function encodeResult(value: unknown, at = 'result'): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) };
    case 'object':
      break;
    default:
      throw new Error(`no JSON form for a ${typeof value} at ${at}`);
  }
  if (value === null) throw new Error(`no JSON form for null at ${at}`);
  if (Array.isArray(value)) return value.map((item, i) => encodeResult(item, `${at}[${i}]`));
  if (ArrayBuffer.isView(value)) {
    const dtype = dtypeOf(value);
    if (dtype === undefined) throw new Error(`no JSON form for ${value.constructor.name} at ${at}`);
    return { $array: dtype, base64: toBase64(value as ResultArray) };
  }
  if (Object.getPrototypeOf(value) !== Object.prototype)
    throw new Error(`no JSON form for ${value.constructor?.name ?? 'the object'} at ${at}`);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key, encodeResult(field, `${at}.${key}`)]),
  );
}

/** The inverse of `encodeResult`. @throws Error naming the place of anything that it never writes */
export function decodeResult(value: unknown, at = 'result'): unknown {
  if (typeof value !== 'object') return value;
  if (value === null) throw new Error(`unexpected null at ${at}`);
  if (Array.isArray(value)) return value.map((item, i) => decodeResult(item, `${at}[${i}]`));
  const fields = value as Readonly<Record<string, unknown>>;
  if ('$number' in fields) {
    const number = NUMBERS[String(fields.$number)];
    if (number === undefined)
      throw new Error(`invalid number: ${JSON.stringify(fields.$number)} at ${at}`);
    return number;
  }
  if ('$array' in fields) {
    const dtype = fields.$array as DType;
    if (typeof dtype !== 'string' || !Object.hasOwn(ARRAY_TYPES, dtype))
      throw new Error(
        `invalid array type: ${JSON.stringify(dtype)} (expected ${Object.keys(ARRAY_TYPES).join(', ')}) at ${at}`,
      );
    if (typeof fields.base64 !== 'string') throw new Error(`missing base64 at ${at}`);
    return fromBase64(dtype, fields.base64, at);
  }
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, decodeResult(field, `${at}.${key}`)]),
  );
}
