// What Node and every page compute, for comparison bit by bit. Runs in either: `xitensor` is the package as it was loaded.
const values = (count) => Float32Array.from({ length: count }, (_, n) => ((n * 37) % 101) / 50 - 1);
const bytesOf = ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const hex = (tensor) => Array.from(bytesOf(tensor), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** FNV-1a of the bytes of a tensor. */
const digest = (tensor) =>
  bytesOf(tensor).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5);

/** Contractions large enough to be shared among threads, and the scores of a model that comes as bytes. */
export async function compute(xitensor, options, modelBytes) {
  const { contract, decodeModel, openBackend, probeBackend, tensor, XI_NAMES } = xitensor;
  const backend = await openBackend({ prefer: ['wasm'], ...options });
  // The threads of a backend end with it.
  (globalThis.kept ??= []).push(backend);
  const shapes = [
    [24, 30, 40],
    [200, 24],
    [200, 30],
  ];
  const operands = shapes.map((shape) => tensor(values(shape.reduce((x, y) => x * y)), shape));
  const results = {};
  for (const xi of XI_NAMES) {
    results[xi] = digest(contract('ijk; bi,bj -> bk', operands, { xi, backend }));
  }
  const square = [operands[1], operands[1]];
  results.maxPlus = digest(contract('; ik,jk -> ij', square, { xi: 'sum', reduce: 'max', backend }));
  const model = decodeModel(modelBytes, { backend });
  const { steps, inputs } = model.config;
  results.scores = hex(model.score(tensor(values(20 * steps * inputs), [20, steps, inputs])));
  const { note } = probeBackend('wasm');
  return { isa: backend.isa, threads: backend.threads, note, results };
}

/** All instruction sets that are wanted, with one thread and with two. */
export async function computeAll(xitensor, isas, modelBytes, options = {}) {
  const all = [];
  for (const isa of isas) {
    for (const threads of [1, 2]) all.push(await compute(xitensor, { ...options, isa, threads }, modelBytes));
  }
  return all;
}
