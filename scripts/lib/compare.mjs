// One model on every backend of this machine: scores and speed, and the losses of the first steps of training.
const { createModel, evaluate, fit, loadMnist, loadModel, openBackend, probeBackend, takeDataset } =
  await import('../../dist/index.js');

const NAMES = ['native', 'wasm', 'reference'];
const backends = [];
for (const name of NAMES) {
  const probe = probeBackend(name);
  if (probe.usable) backends.push(await openBackend({ prefer: [name] }));
  else console.log(`${name} is not compared: ${probe.reason}`);
}

/** Accuracy on the test set, and the scores of its first images on each backend against the reference's. */
export async function compareBackends(path) {
  const test = await loadMnist({ split: 'test' });
  const model = await loadModel(path);
  const { loss, accuracy } = evaluate(model, test);
  const { name, isa } = model.backend;
  const count = test.labels.length;
  console.log(
    `\nMNIST test accuracy ${(100 * accuracy).toFixed(2)} % (${Math.round(accuracy * count)} of ${count}), loss ${loss.toFixed(4)}, ` +
      `on ${name} ${isa}\n`,
  );
  // The reference is the definition in plain loops and scores some 150 images a second.
  const part = takeDataset(test, 0, Math.min(1000, count));
  const rows = [];
  const wrong = [];
  for (const backend of backends) {
    const model = await loadModel(path, { backend });
    model.score(takeDataset(part, 0, 10).inputs);
    const started = performance.now();
    const { data } = model.score(part.inputs);
    rows.push({ backend, data, perSecond: (1000 * part.labels.length) / (performance.now() - started) });
  }
  const reference = rows.find(({ backend }) => backend.name === 'reference').data;
  const largest = (values) => values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  console.log(`scores of ${part.labels.length} test images, largest score ${largest(reference).toFixed(2)}`);
  console.log('backend              threads  images a second  largest difference from the reference');
  for (const { backend, data, perSecond } of rows) {
    const difference = largest(data.map((value, n) => value - reference[n]));
    if (!(difference <= 1e-4 * largest(reference)))
      wrong.push(`scores on ${backend.name} are off by ${difference}`);
    console.log(
      `${`${backend.name} ${backend.isa}`.padEnd(20)}${String(backend.threads).padStart(8)}` +
        `${Math.round(perSecond).toLocaleString('en-US').padStart(17)}  ${difference.toExponential(1)}`,
    );
  }
  return { accuracy, wrong };
}

/** The losses of the first hundred steps of a training on native and WebAssembly, from the same seed. */
export async function followLosses(path, epochs) {
  const compared = backends.filter(({ name }) => name !== 'reference');
  if (compared.length < 2) return 0;
  const { config } = await loadModel(path);
  const data = await loadMnist({ split: 'train' });
  const losses = [];
  for (const backend of compared) {
    const own = [];
    const controller = new AbortController();
    const model = createModel({ ...config, backend });
    const onStep = ({ step, batchLoss }) => {
      own.push(batchLoss);
      if (step === 100) controller.abort();
    };
    const training = fit(model, data, { epochs, onStep, signal: controller.signal });
    try {
      await training.next();
    } catch (error) {
      if (error.code !== 'E_ABORTED') throw error;
    }
    losses.push(own);
  }
  const relative = losses[0].map((loss, n) => Math.abs(losses[1][n] - loss) / loss);
  console.log(
    `\nloss over the first ${relative.length} steps, ${compared.map(({ name }) => name).join(' against ')}: ` +
      `largest relative difference ${Math.max(...relative).toExponential(1)}`,
  );
  return Math.max(...relative);
}
