// What every runtime computes on a backend: a fingerprint of the bits of each result.
import {
  certify,
  contract,
  contractGradient,
  createModel,
  encodeModel,
  fit,
  gridTensor,
  tensor,
  ttSvd,
  XI_NAMES,
} from 'xitensor';

function fingerprint(bytes) {
  let hash = 0;
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
  return (hash >>> 0).toString(16);
}
const bits = ({ data }) => fingerprint(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));

export async function compute(backend) {
  let state = 5;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const random = (shape, dtype = 'float32') => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float64Array.from({ length: count }, () => 2 * uniform() - 1);
    return tensor(values, shape, dtype);
  };
  const results = {};
  const [G, a, h] = [random([7, 19, 21]), random([33, 7]), random([33, 19])];
  for (const xi of XI_NAMES)
    for (const reduce of ['sum', 'max', 'min', 'logsumexp']) {
      const options = { xi, reduce, backend };
      const out = contract('ijk; bi,bj -> bk', [G, a, h], options);
      const gradients = contractGradient('ijk; bi,bj -> bk', [G, a, h], out, options);
      results[`${xi} ${reduce}`] = [out, ...gradients].map(bits).join(' ');
    }
  const labels = Int32Array.from({ length: 64 }, () => Math.floor(3 * uniform()));
  for (const [kind, dtype] of Object.entries({ cp: 'float64', tt: 'float32', ht: 'float64' })) {
    const data = { name: 'random', inputs: random([64, 4, 5], dtype), labels, classes: 3 };
    const features = { size: 6 };
    const config = {
      kind,
      dtype,
      xi: 'rectifier',
      steps: 4,
      inputs: 5,
      outputs: 3,
      rank: 6,
      features,
      seed: 3,
    };
    const model = createModel({ ...config, backend });
    for await (const _ of fit(model, data, { epochs: 4, batch: 16, schedule: 'cosine' }));
    results[kind] = fingerprint(encodeModel(model));
    const templates = random([3, 5], dtype);
    results[`${kind} grid`] = bits(gridTensor(model, templates));
    const { rank, bound } = await certify(model, templates, { samples: 9, exact: true });
    results[`${kind} certificate`] = `${rank} ${JSON.stringify(bound)}`;
  }
  results.ttSvd = ttSvd(random([6, 7, 8]), { eps: 0.1, backend })
    .cores.map(bits)
    .join(' ');
  return results;
}
