// The demo: all set-up, what this machine can run, the paper's experiments in small with their report page, and the network
// that they trained on every backend.
// XITENSOR_BACKEND=wasm npm run demo computes in WebAssembly. Run again, it keeps what is there.
import { inProject, run } from './lib/steps.mjs';
import { setup } from './setup.mjs';

const OUT = 'xitensor-results';
/** Of the plan whose first hundred steps are compared: the longer it is, the more gently it begins. */
const EPOCHS = 8;
const cli = async (...args) => {
  console.log(`\n$ xitensor ${args.join(' ')}`);
  process.exitCode = await run(process.execPath, [inProject('dist/cli/main.js'), ...args], { inherit: true });
  if (process.exitCode) throw new Error(`xitensor ${args[0]} failed`);
};

try {
  await setup();
  await cli('info');
  await cli('reproduce', '--quick', '--out', OUT);

  const { compareBackends, followLosses } = await import('./lib/compare.mjs');
  const model = inProject(OUT, 'performance/showcase.safetensors');
  const { accuracy, wrong } = await compareBackends(model);
  const apart = await followLosses(model, EPOCHS);
  if (accuracy < 0.8) wrong.push(`the accuracy of ${accuracy} is below 0.8`);
  if (!(apart <= 1e-3)) wrong.push(`the losses of native and WebAssembly differ by ${apart}`);
  if (wrong.length > 0) throw new Error(`the demo did not hold: ${wrong.join('; ')}`);
  console.log(`\nopen ${inProject(OUT, 'report.html')} in a browser`);
} catch (error) {
  console.error(error.message);
  process.exitCode ||= 1;
}
