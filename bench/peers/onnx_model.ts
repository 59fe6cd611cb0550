import type { DType, FloatArray } from '../../src/core/tensor.ts';

/**
 * Just enough of ONNX to write a graph: Protocol Buffers by hand, with the field numbers of onnx.proto3.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */

type Bytes = Uint8Array;

const ELEMENT: Readonly<Record<DType | 'int64', number>> = { float32: 1, int64: 7, float64: 11 };

function varint(value: number): Bytes {
  const bytes: number[] = [];
  // Negative int64 are ten bytes of two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

const concat = (parts: readonly Bytes[]): Bytes => {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
};

const integer = (field: number, value: number) => concat([varint(field << 3), varint(value)]);
const bytes = (field: number, value: Bytes) =>
  concat([varint((field << 3) | 2), varint(value.length), value]);
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value));
const message = (field: number, ...parts: Bytes[]) => bytes(field, concat(parts));

/** An operator: what it reads and writes, by name. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly output: { readonly name: string; readonly shape: readonly number[] };
  /** Weights, known when the session is made, which therefore packs them once. */
  readonly constants: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: FloatArray | BigInt64Array }>
  >;
  readonly dtype: DType;
}

function valueInfo(field: number, name: string, dtype: DType, shape: readonly number[]): Bytes {
  const dims = shape.map((extent) => message(1, integer(1, extent)));
  const tensorType = message(1, integer(1, ELEMENT[dtype]), message(2, ...dims));
  return message(field, text(1, name), message(2, tensorType));
}

/** The bytes of a ModelProto, opset 17. */
export function encodeModel({ nodes, inputs, output, constants, dtype }: OnnxGraph): Bytes {
  const graph = [
    ...nodes.map(({ op, inputs, output }) =>
      message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(3, output), text(4, op)),
    ),
    text(2, 'xitensor'),
    ...Object.entries(constants).map(([name, { shape, data }]) =>
      message(
        5,
        ...shape.map((extent) => integer(1, extent)),
        integer(2, data instanceof BigInt64Array ? ELEMENT.int64 : ELEMENT[dtype]),
        text(8, name),
        bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
      ),
    ),
    ...Object.entries(inputs).map(([name, shape]) => valueInfo(11, name, dtype, shape)),
    valueInfo(12, output.name, dtype, output.shape),
  ];
  return concat([integer(1, 8), message(8, text(1, ''), integer(2, 17)), message(7, ...graph)]);
}
