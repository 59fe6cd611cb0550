// A training loop of one's own: a loss that compares the sequences of a batch with each other, so that no mean over single
// ones is it, the library's Adam, and a schedule with warm restarts. A recurrent network ranks pieces of DNA, those around a
// splice junction above all others; the loss is RankNet's, a smooth form of 1 − AUC (Burges et al. 2005).
//
//   node own-loop.mjs [epochs]
import { Adam, batches, createModel, loadSplice } from 'xitensor';

const epochs = Number(process.argv[2] ?? 9);
const { train, test } = await loadSplice();
const model = createModel({
  kind: 'tt',
  xi: 'rectifier',
  steps: 60,
  inputs: 4,
  outputs: 1, // a score by which to rank
  rank: 8,
  features: { size: 8 },
  seed: 0,
});
const JUNCTIONS = train.classNames.flatMap((name, label) => (name === 'n' ? [] : [label]));

/** Numbers of the examples that are junctions, and of those that are none. */
function sidesOf({ labels }) {
  const rows = [...labels.keys()];
  return [true, false].map((side) => rows.filter((n) => JUNCTIONS.includes(labels[n]) === side));
}

/** Mean of ln(1 + exp(s_q − s_p)) over all pairs of a junction p and another q, and its derivatives by the scores [B,1]. */
function rankNet(scores, data) {
  const [above, below] = sidesOf(data);
  const d = new Float32Array(scores.data.length);
  const weight = 1 / (above.length * below.length || 1);
  let loss = 0;
  for (const p of above) {
    for (const q of below) {
      const margin = scores.data[p] - scores.data[q];
      loss += weight * (Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin))));
      const slope = weight / (1 + Math.exp(margin));
      d[p] -= slope;
      d[q] += slope;
    }
  }
  return { loss, dScores: { ...scores, data: d } };
}

/** The part of all such pairs that are in the right order, ties half. */
function areaUnderCurve(scores, data) {
  const [above, below] = sidesOf(data);
  let right = 0;
  for (const p of above) for (const q of below) right += (Math.sign(scores.data[p] - scores.data[q]) + 1) / 2;
  return right / (above.length * below.length);
}

const CYCLE = 3; // epochs; each begins at the full rate again (Loshchilov & Hutter 2017)
const rateAt = (epoch) =>
  4e-3 * (0.01 + 0.99 * 0.5 * (1 + Math.cos((Math.PI * ((epoch - 1) % CYCLE)) / CYCLE)));

const optimizer = new Adam(model, { clip: 1 });
for (let epoch = 1; epoch <= epochs; epoch++) {
  optimizer.learningRate = epoch === 1 ? 1e-3 : rateAt(epoch); // a gentle start
  let [sum, count] = [0, 0];
  for (const batch of batches(train, { batch: 50, seed: 0, epoch })) {
    const { parameters } = model.gradients(batch.inputs, (scores) => {
      const { loss, dScores } = rankNet(scores, batch);
      sum += loss;
      count++;
      return dScores;
    });
    optimizer.step(parameters);
  }
  console.log(
    `epoch ${epoch}: loss ${(sum / count).toFixed(4)} at rate ${optimizer.learningRate.toExponential(1)}`,
  );
}
const auc = areaUnderCurve(model.score(test.inputs), test);
console.log(`area under the curve ${auc.toFixed(4)} on ${test.labels.length} sequences held back`);
