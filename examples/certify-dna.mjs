// Trains a small recurrent network on real DNA, and proves how wide a shallow network must be that gives the same scores. The
// four letters are the templates, so that every sequence of 60 letters lies on the grid.
//
//   node certify-dna.mjs [epochs]
import { certify, checkCertificate, createModel, evaluate, fit, loadSplice, tensor } from 'xitensor';

const epochs = Number(process.argv[2] ?? 6);
const { train, test } = await loadSplice();
const [, steps, inputs] = train.inputs.shape;
const model = createModel({
  kind: 'tt',
  xi: 'rectifier',
  steps,
  inputs,
  outputs: train.classes,
  rank: 8,
  features: { size: 8 },
  seed: 0,
});
for await (const { epoch, loss } of fit(model, train, { epochs, batch: 50 })) {
  console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}`);
}
console.log(
  `accuracy ${(100 * evaluate(model, test).accuracy).toFixed(2)} % of ${test.labels.length} sequences held back`,
);

const oneHot = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => Number(i === j)));
const letters = tensor(oneHot, undefined, 'float32');
const { rank, rows, columns, bound, certificate } = await certify(model, letters, {
  samples: 256,
  exact: true,
});
console.log(`rank of ${rows} × ${columns} scores: ${rank}, proven modulo ${certificate.prime}`);
console.log(`a shallow network with these scores has a width of at least ${bound.refined}`);

// Whoever has model and templates can check it without trusting it.
const text = JSON.stringify(certificate);
const again = await checkCertificate(model, letters, JSON.parse(text));
console.log(`checked again from ${text.length} characters: at least ${again.bound.refined}`);
