// A Worker of workerd, which compiles the module itself.
import { openBackend } from 'xitensor';
import wasmModule from 'xitensor/wasm/xitensor.wasm';
import { compute } from './compute.mjs';

export default {
  async fetch() {
    const backend = await openBackend({ wasmModule });
    const results = await compute(backend);
    return Response.json({ name: backend.name, isa: backend.isa, threads: backend.threads, results });
  },
};
