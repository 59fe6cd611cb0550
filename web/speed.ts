import { plainLoops } from '../bench/peers/plain_loops.ts';
import type { Backend } from '../src/backend/interface.ts';
import { Rng } from '../src/core/rng.ts';
import type { Xi } from '../src/core/xi.gen.ts';
import type { Speed } from './messages.ts';
import { timeInTurns } from './turns.ts';

/** C1 of docs/performance.md with a fifth of its rows, so that plain loops too take a few milliseconds a call. */
const SIZES = { B: 50, L: 32, R: 64, K: 64 };
const { B, L, R, K } = SIZES;
const OPERATIONS = 2 * B * L * R * K;

/** Times the kernels and plain loops on the same numbers, and compares what they compute. */
export function compareSpeeds(backend: Backend, xi: Xi) {
  const rng = new Rng(1);
  const random = (count: number) => Float32Array.from({ length: count }, () => rng.normal());
  const [a, h, G, out] = [random(B * L), random(B * R), random(L * R * K), new Float32Array(B * K)];
  const [sa, sh, sG] = [a, h, G].map((values) => backend.adopt(values));
  const result = backend.allocate('float32', B * K);
  const packed = backend.packWeights(L, R, K, sG);
  const loops = Object.values(plainLoops(SIZES, xi)).map((run) => () => run(a, h, G, out));
  const [kernels, ...plain] = timeInTurns([
    () => backend.contractPacked(xi, B, sa, sh, packed, result),
    ...loops,
  ]);
  const threads = `${backend.threads} ${backend.threads === 1 ? 'thread' : 'threads'}`;
  const speeds: Speed[] = [
    { name: `${backend.isa}, ${threads}`, times: kernels },
    { name: 'plain JavaScript', times: plain.reduce((a, b) => (b.median < a.median ? b : a)) },
  ].map(({ name, times }) => ({ name, times, gflops: OPERATIONS / times.median / 1e6 }));
  const values = result.read();
  for (const storage of [sa, sh, sG, result, packed.values]) storage.release();
  let [worst, scale] = [0, 0];
  out.forEach((value, n) => {
    worst = Math.max(worst, Math.abs(value - values[n]));
    scale = Math.max(scale, Math.abs(value));
  });
  return { xi, backend: backend.name, speeds, difference: worst / scale };
}
