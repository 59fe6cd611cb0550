/** Typed arrays by the name that they have in every realm: a frame or `node:vm` has classes of its own. */
const CLASSES = {
  ...{ Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
  ...{ Float32Array, Float64Array },
};

// The getters of all typed arrays, of every realm: an array may have properties of its own by these names.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (name: string | symbol) =>
  Object.getOwnPropertyDescriptor(typedArray, name)!.get as (this: unknown) => unknown;
const [LENGTH, OFFSET, BUFFER, NAME] = ['length', 'byteOffset', 'buffer', Symbol.toStringTag].map(getter);

/** Elements that a typed array has, whatever it says of itself; 0 once it is detached. */
export const lengthOf = (array: ArrayBufferView): number => LENGTH.call(array) as number;

/** A typed array of another realm as one of this realm over the same memory; anything else as it is. */
export function ours<T>(value: T): T {
  if (!ArrayBuffer.isView(value)) return value;
  const Class = CLASSES[NAME.call(value) as keyof typeof CLASSES];
  if (Class === undefined || value instanceof Class) return value;
  return new Class(BUFFER.call(value) as ArrayBuffer, OFFSET.call(value) as number, lengthOf(value)) as T;
}

/** Whether these are numbers, not the bytes of a DataView or bigints; of {@link ours}. */
export const isNumbers = (value: unknown): boolean =>
  Object.values(CLASSES).some((Class) => value instanceof Class);

/** Whether the memory of a typed array may be changed by others while it is read. */
export const isShared = (array: ArrayBufferView): boolean =>
  Object.prototype.toString.call(BUFFER.call(array)) === '[object SharedArrayBuffer]';

/** Whether this is an ArrayBuffer, of whatever realm. */
export const isBuffer = (value: unknown): value is ArrayBuffer =>
  Object.prototype.toString.call(value) === '[object ArrayBuffer]';
