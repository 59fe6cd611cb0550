// The demo: all set-up, what this machine can run, a rectifier TT trained on the full MNIST training set, and the same
// model on every backend. XITENSOR_BACKEND=wasm npm run demo trains in WebAssembly.
import { inProject, run } from './lib/steps.mjs';
import { setup } from './setup.mjs';

const MODEL = 'mnist-tt.safetensors';
const EPOCHS = 8;
const cli = (...args) => run(process.execPath, [inProject('dist/cli/main.js'), ...args], { inherit: true });

try {
  await setup();
  console.log('\n$ xitensor info');
  process.exitCode = await cli('info');
  if (process.exitCode) throw new Error('no backend can be used');

  const options = [
    '--xi',
    'rectifier',
    '--patch',
    '7',
    '--features',
    '32',
    '--rank',
    '64',
    '--epochs',
    String(EPOCHS),
  ];
  console.log(`\n$ xitensor train --data mnist ${options.join(' ')} --output ${MODEL} --force`);
  process.exitCode = await cli('train', '--data', 'mnist', ...options, '--output', MODEL, '--force');
  if (process.exitCode) throw new Error('training failed');

  const { compareBackends, followLosses } = await import('./lib/compare.mjs');
  const { accuracy, wrong } = await compareBackends(MODEL);
  const apart = await followLosses(MODEL, EPOCHS);
  if (accuracy < 0.965) wrong.push(`the accuracy of ${accuracy} is below 0.965`);
  if (!(apart <= 1e-3)) wrong.push(`the losses of native and WebAssembly differ by ${apart}`);
  if (wrong.length > 0) throw new Error(`the demo did not hold: ${wrong.join('; ')}`);
} catch (error) {
  console.error(error.message);
  process.exitCode ||= 1;
}
