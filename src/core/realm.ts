/** Typed arrays by the name that they have in every realm: a frame or `node:vm` has classes of its own. */
const CLASSES = {
  ...{ Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
  ...{ Float32Array, Float64Array },
};

/** A typed array of another realm as one of this realm over the same memory; anything else as it is. */
export function ours<T>(value: T): T {
  if (!ArrayBuffer.isView(value)) return value;
  const { buffer, byteOffset, [Symbol.toStringTag]: name } = value as unknown as Uint8Array<ArrayBuffer>;
  const Class = CLASSES[name as keyof typeof CLASSES];
  if (Class === undefined || value instanceof Class) return value;
  return new Class(buffer, byteOffset, (value as unknown as Uint8Array).length) as T;
}

/** Whether these are numbers, not the bytes of a DataView or bigints; of {@link ours}. */
export const isNumbers = (value: unknown): boolean =>
  Object.values(CLASSES).some((Class) => value instanceof Class);

/** Whether this memory may be changed by others while it is read, of whatever realm. */
export const isShared = (buffer: unknown): boolean =>
  Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';

/** Whether this is an ArrayBuffer, of whatever realm. */
export const isBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === '[object ArrayBuffer]';
