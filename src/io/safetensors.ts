import { mismatch, show, XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { byName, type TensorsByName } from '../core/named.ts';
import type { Inputs, Tensor } from '../core/tensor.ts';
import { anyArray, decodeElements, ELEMENTS, type Element, littleEndianBytes } from './elements.ts';
import { kindOfBytes } from './magic.ts';
import { checkBytes } from './npy.ts';

/*
 * Format: https://github.com/huggingface/safetensors#format
 *   0  u64 LE, length n of the header   8  header, JSON padded with spaces   8 + n  data, every byte owned by one tensor
 */
const METADATA = '__metadata__';
/** The limit of the official implementation. */
const MAX_HEADER = 100_000_000;
/** Lists and objects inside one another; a valid header needs three. */
const MAX_DEPTH = 64;
/** Characters of a number; the largest size has sixteen. */
const MAX_ATOM = 64;

const NAMES = { float32: 'F32', float64: 'F64', int32: 'I32' } as const;
const TYPES = new Map(ELEMENTS.map((type) => [type.safetensors, type]));

/**
 * The bytes of a safetensors file of tensors by name, tokens (I32) among them, and metadata.
 *
 * Float64 tensors come before others, which keeps all data aligned; otherwise the order is that in which they are given.
 *
 * @throws XiError E_ARGUMENT for names or metadata that the format cannot hold, E_SHAPE or E_DTYPE for a bad tensor.
 */
export function encodeSafetensors(
  tensors: TensorsByName<Inputs>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joined(safetensorsChunks('encodeSafetensors', tensors, metadata));
}

/** The bytes of several parts one after the other. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * {@link encodeSafetensors} in parts, for files that are larger than an array may be: the header, then the data of each tensor.
 * They are copies, so tensors may change while a write is pending.
 */
export function safetensorsChunks(
  where: string,
  tensors: TensorsByName<Inputs>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer>[] {
  const named = byName(where, tensors);
  if (typeof metadata !== 'object' || metadata === null)
    throw mismatch('E_ARGUMENT', `${where} metadata`, 'an object of strings', metadata);
  for (const [key, value] of Object.entries(metadata)) {
    checkText(`${where} metadata`, key);
    checkText(`${where} metadata ${show(key)}`, value);
  }
  const entries = [...named].map(([name, value]) => {
    checkText(`${where} tensor name`, name);
    if (name === METADATA) throw mismatch('E_ARGUMENT', where, `tensor names other than ${METADATA}`, name);
    return { name, ...anyArray(`${where} tensor ${show(name)}`, value) };
  });
  entries.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);

  // Text is joined by hand because assigning to `__proto__` of an object would lose a tensor of that name.
  const fields = Object.keys(metadata).length > 0 ? [`"${METADATA}":${JSON.stringify(metadata)}`] : [];
  let end = 0;
  for (const { name, dtype, shape, data } of entries) {
    const info = { dtype: NAMES[dtype], shape, data_offsets: [end, (end += data.byteLength)] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER)
    throw mismatch('E_ARGUMENT', where, `a header of at most ${MAX_HEADER} bytes`, length);
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  return [head, ...entries.map(({ data }) => littleEndianBytes(data))];
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** By name. */
  readonly tensors: Map<string, Tensor>;
  /** The entry `__metadata__` of the header; empty where there is none. */
  readonly metadata: Record<string, string>;
}

/**
 * The tensors and metadata in the bytes of a safetensors file, in the order of its header, in memory of their own.
 *
 * F32 and F64 keep their precision, F16 and BF16 become float32, BOOL and integers of every size float64, all of them exactly.
 *
 * @param where names the bytes in messages, usually the path.
 * @throws XiError E_FILE for everything that the official implementation refuses, and for a key that occurs twice;
 * E_DTYPE for a tensor of other types, such as F8_E4M3; E_NUMERIC for an 8-byte integer beyond ±2⁵³.
 */
export function decodeSafetensors(
  given: Uint8Array | ArrayBuffer,
  where = 'safetensors',
): SafetensorsContent {
  const bytes = checkBytes('decodeSafetensors', given, where);
  const { header, start } = readHeader(bytes, where);
  const metadata: Record<string, string> = Object.create(null);
  const entries: Entry[] = [];
  for (const [name, value] of header) {
    if (name === METADATA) Object.assign(metadata, readMetadata(value, where));
    else entries.push(readEntry(name, value, where));
  }
  checkCoverage(entries, bytes.length - start, where);
  const tensors = new Map<string, Tensor>();
  for (const { name, type, shape, begin, end } of entries) {
    const place = `${where}: tensor ${show(name)}`;
    const data = decodeElements(bytes.subarray(start + begin, start + end), type, true, place, start + begin);
    tensors.set(name, { dtype: type.dtype, shape, data });
  }
  return { tensors, metadata };
}

interface Entry {
  name: string;
  type: Element;
  shape: number[];
  begin: number;
  end: number;
}

function readHeader(bytes: Uint8Array, where: string): { header: Map<string, Json>; start: number } {
  if (bytes.length < 8) throw mismatch('E_FILE', where, 'at least 8 bytes, the header length', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER, bytes.length - 8);
  if (length > limit) {
    const what = kindOfBytes(bytes);
    if (what) throw new XiError('E_FILE', `${where}: expected a safetensors file, received ${what}`);
    const place = `${where} is no safetensors file, or cut short: byte 0`;
    throw new XiError('E_FILE', `${place}: expected a header length up to ${limit}, received ${length}`);
  }
  const start = 8 + Number(length);
  if (bytes[8] !== 0x7b || start === 8) {
    throw mismatch('E_FILE', `${where}, byte 8`, "a JSON object that begins with '{'", bytes[8] ?? 'the end');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start));
  } catch (cause) {
    throw new XiError('E_FILE', `${where}: expected a header in UTF-8, found other bytes`, { cause });
  }
  return { header: parseJson(text, `${where}, header`) as Map<string, Json>, start };
}

function readMetadata(value: Json, where: string): Record<string, string> {
  if (!(value instanceof Map))
    throw mismatch('E_FILE', `${where}: ${METADATA}`, 'an object of strings', value);
  for (const [key, text] of value) {
    if (typeof text !== 'string')
      throw mismatch('E_FILE', `${where}: ${METADATA} ${show(key)}`, 'a string', text);
  }
  return Object.fromEntries(value) as Record<string, string>;
}

function readEntry(name: string, value: Json, where: string): Entry {
  const place = `${where}: tensor ${show(name)}`;
  if (!(value instanceof Map)) throw mismatch('E_FILE', place, 'an object', value);
  const [type, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((key) => value.get(key));
  if (typeof type !== 'string') throw mismatch('E_FILE', `${place} dtype`, 'a string', type);
  const known = TYPES.get(type);
  if (!known) throw mismatch('E_DTYPE', `${place} dtype`, `one of ${[...TYPES.keys()].join(', ')}`, type);
  if (!isSizes(shape)) throw mismatch('E_FILE', `${place} shape`, 'a list of non-negative integers', shape);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw mismatch('E_FILE', `${place} data_offsets`, 'two non-negative integers', offsets);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw mismatch('E_FILE', `${place} data_offsets`, 'begin ≤ end', offsets);
  const count = product(shape);
  if (count * known.size !== end - begin) {
    const wanted = `${count * known.size} bytes for shape ${show(shape)} of ${type}`;
    throw new XiError(
      'E_FILE',
      `${place}: expected ${wanted}, data_offsets ${show(offsets)} hold ${end - begin}`,
    );
  }
  return { name, type: known, shape, begin, end };
}

/** Checks that the ranges follow one another from 0 to `length` without holes and overlaps. */
function checkCoverage(entries: Entry[], length: number, where: string): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const fault = begin > covered ? 'leaves a hole' : 'overlaps another tensor';
      const found = `data_offsets ${show([begin, end])}, which ${fault}`;
      throw new XiError(
        'E_FILE',
        `${where}: tensor ${show(name)}: expected data from offset ${covered} on, found ${found}`,
      );
    }
    if (end > length) {
      throw mismatch('E_FILE', `${where}: tensor ${show(name)}`, `data_offsets up to ${length}`, [
        begin,
        end,
      ]);
    }
    covered = end;
  }
  if (covered !== length) {
    throw new XiError(
      'E_FILE',
      `${where}: expected ${covered} bytes of data after the header, found ${length}`,
    );
  }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Lone surrogates have no UTF-8; JSON could spell them, other readers refuse them. */
function checkText(where: string, value: unknown): void {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) {
    throw mismatch('E_ARGUMENT', where, 'a string of whole Unicode characters', value);
  }
}

type Json = string | number | boolean | null | Json[] | Map<string, Json>;

/**
 * A JSON parser that, unlike JSON.parse, refuses an object with a key twice and lone surrogates, limits the depth, and
 * keeps any key harmless in a Map. 1.0, 1e0 and -0 become NaN, since the official reader takes none of them for a size.
 */
function parseJson(text: string, where: string): Json {
  const atom = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/;
  let at = 0;
  const refuse = (expected: string) =>
    mismatch(
      'E_FILE',
      `${where} at character ${at}`,
      expected,
      at < text.length ? text.slice(at) : 'the end',
    );
  const peek = (): string | undefined => {
    // A loop, because a regular expression overflows its stack on tens of millions of spaces.
    while (at < text.length && ' \t\r\n'.includes(text[at])) at++;
    return text[at];
  };
  const accept = (mark: string): boolean => {
    if (peek() !== mark) return false;
    at++;
    return true;
  };
  const need = (mark: string): void => {
    if (!accept(mark)) throw refuse(show(mark));
  };

  const string = (): string => {
    if (peek() !== '"') throw refuse('a string');
    let end = at;
    let backslashes: number;
    do {
      end = text.indexOf('"', end + 1);
      if (end < 0) throw refuse('a string that ends');
      for (backslashes = 0; text[end - 1 - backslashes] === '\\'; ) backslashes++;
    } while (backslashes % 2 === 1);
    let value: string;
    try {
      value = JSON.parse(text.slice(at, end + 1)) as string;
    } catch {
      throw refuse('a valid string');
    }
    if (/\p{Surrogate}/u.test(value)) throw refuse('a string of whole Unicode characters');
    at = end + 1;
    return value;
  };
  const list = (depth: number): Json[] => {
    const items: Json[] = [];
    if (accept(']')) return items;
    do items.push(value(depth));
    while (accept(','));
    need(']');
    return items;
  };
  const object = (depth: number): Map<string, Json> => {
    const fields = new Map<string, Json>();
    if (accept('}')) return fields;
    do {
      peek();
      const from = at;
      const key = string();
      if (fields.has(key)) {
        at = from;
        throw refuse('keys that differ');
      }
      need(':');
      fields.set(key, value(depth));
    } while (accept(','));
    need('}');
    return fields;
  };
  const value = (depth: number): Json => {
    if (depth === MAX_DEPTH) throw refuse(`at most ${MAX_DEPTH} levels`);
    if (accept('{')) return object(depth + 1);
    if (accept('[')) return list(depth + 1);
    if (peek() === '"') return string();
    const found = atom.exec(text.slice(at, at + MAX_ATOM))?.[0];
    if (found === undefined) throw refuse('a JSON value');
    at += found.length;
    if (/^[tfn]/.test(found)) return JSON.parse(found) as boolean | null;
    const number = Number(found);
    return Number.isInteger(number) && number >= 0 && !/^\d+$/.test(found) ? Number.NaN : number;
  };

  const result = value(0);
  if (peek() !== undefined) throw refuse('only spaces after the object');
  return result;
}
