// The most likely path through a hidden Markov model, by a contraction with ξ = + and ⊕ = max that says which term won;
// beside it the probability of the observations over all paths, which is the same contraction with ⊕ = logsumexp.
//
//   node viterbi.mjs
import { contract, tensor } from 'xitensor';

const WEATHER = ['sunny', 'cloudy', 'rainy'];
const SEEN = ['shorts', 'coat', 'umbrella'];
const log = (rows) => tensor(rows.map((row) => row.map(Math.log)));
const start = tensor([0.5, 0.3, 0.2].map(Math.log));
const move = log([
  [0.8, 0.15, 0.05],
  [0.3, 0.4, 0.3],
  [0.1, 0.4, 0.5],
]);
const shows = [
  [0.8, 0.18, 0.02],
  [0.4, 0.5, 0.1],
  [0.05, 0.35, 0.6],
];
const days = ['shorts', 'shorts', 'coat', 'umbrella', 'umbrella', 'coat', 'shorts'];
const emit = (seen) => tensor(shows.map((row) => Math.log(row[SEEN.indexOf(seen)])));

// One index a day: start[a] emit[a] move[a,b] emit[b] move[b,c] emit[c] …
const letters = days.map((_, n) => String.fromCharCode(97 + n));
const terms = letters.flatMap((letter, n) =>
  n === 0 ? [letter, letter] : [letters[n - 1] + letter, letter],
);
const operands = days.flatMap((seen, n) => [n === 0 ? start : move, emit(seen)]);
const expression = `; ${terms.join(',')} -> `;

const { value, indices } = contract.arg(expression, operands, { xi: 'sum', reduce: 'max' });
letters.forEach((letter, n) => {
  console.log(`day ${n + 1}: ${days[n].padEnd(9)} ${WEATHER[indices[letter][0]]}`);
});
const all = contract(expression, operands, { xi: 'sum', reduce: 'logsumexp' });
console.log(`this path: ${Math.exp(value.data[0]).toExponential(3)}`);
console.log(`all paths: ${Math.exp(all.data[0]).toExponential(3)}`);

// The planner sees the chain: no array over all days is formed.
const shapes = operands.map(({ shape }) => shape);
const plan = contract.plan(expression, shapes, { xi: 'sum', reduce: 'logsumexp', dtype: 'float64' });
console.log(`${plan.flops} operations instead of ${plan.naiveFlops}`);
