/**
 * Runs the suite on the native backend of the process it is started in and prints a line of JSON a case. For processors
 * that only an emulator has: conformance.test.ts bundles this file and starts it there.
 */
import { selectBackend } from '../../src/backend/select.ts';
import { suite } from './suite.ts';

const { backend } = selectBackend({ prefer: ['native'], threads: 2 });
console.log(JSON.stringify({ isa: backend.isa, node: process.version, arch: process.arch }));
for (const { name, run } of suite) {
  let error: string | null = null;
  try {
    run(backend);
  } catch (failure) {
    error = (failure as Error).message;
  }
  console.log(JSON.stringify({ name, error }));
}
