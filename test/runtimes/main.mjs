// main.mjs BACKEND THREADS, in Node, Bun and Deno.
import { openBackend } from 'xitensor';
import { compute } from './compute.mjs';

const [name, threads] = process.argv.slice(2);
// Relaxed SIMD, which Node 20 has not, rounds otherwise.
const isa = name === 'wasm' ? 'wasm128' : undefined;
const backend = await openBackend({ prefer: [name], isa, threads: Number(threads) });
const results = await compute(backend);
console.log(JSON.stringify({ name: backend.name, isa: backend.isa, threads: backend.threads, results }));
