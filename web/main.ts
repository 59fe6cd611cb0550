import type { BackendName } from '../src/backend/interface.ts';
import { barsChart } from './charts.ts';
import { DigitView } from './digit_view.ts';
import { draw, element } from './dom.ts';
import type { Reply, Request } from './messages.ts';
import { RanksView } from './ranks_view.ts';
import type { Times } from './turns.ts';

const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
const send = (request: Request) => worker.postMessage(request);

const ranks = new RanksView(send);
const digits = new DigitView(send);
const compare = element<HTMLButtonElement>('compare');

/** Not disabled, which would take the focus from who pressed it. */
const measuring = (is: boolean) => compare.setAttribute('aria-disabled', String(is));

/** Why the worker answers nothing any more. */
let broken = '';

compare.addEventListener('click', () => {
  if (compare.ariaDisabled === 'true') return;
  if (broken) return showFailure({ type: 'failed', of: 'speed', message: broken });
  measuring(true);
  element('speed-answer').textContent = 'Measuring …';
  ranks.stop();
  send({ type: 'speed', xi: ranks.xi });
});

// The hash is the state of the page, so that links must not change it.
document.querySelector('[data-skip]')?.addEventListener('click', (event) => {
  event.preventDefault();
  element('ranks').focus();
});

/** A median with its range, all in three digits. */
function millisecondsOf({ median, least, most }: Times): string {
  const [middle, low, high] = [median, least, most].map((time) => time.toPrecision(3));
  return `${middle} ms (${low}–${high})`;
}

const COMPUTES: Readonly<Record<BackendName, string>> = {
  native: 'Native code',
  wasm: 'WebAssembly',
  reference: 'The reference in JavaScript',
};

function showSpeed({ xi, backend, speeds, difference }: Extract<Reply, { type: 'speed' }>): void {
  measuring(false);
  const [kernels, loops] = speeds;
  element('speed-answer').textContent =
    `${COMPUTES[backend]} is ${(loops.times.median / kernels.times.median).toFixed(1)} times as fast for ${xi}: ` +
    `${millisecondsOf(kernels.times)} instead of ${millisecondsOf(loops.times)}, medians and ranges of nine turns. ` +
    `The results differ by ${difference.toExponential(0)} of the largest.`;
  const bars = speeds.map(({ name, gflops }) => ({
    ...{ name, value: gflops },
    shown: `${gflops.toFixed(1)} GFLOP/s`,
  }));
  const label = bars.map(({ name, shown }) => `${name}: ${shown}`).join('; ');
  draw('speed-chart', (width) => barsChart(width, label, bars, { names: 156, values: 100 }));
}

function showFailure({ of, message }: Extract<Reply, { type: 'failed' }>): void {
  if (of === 'digit') digits.failed(message);
  else if (of === 'engine') element('engine').textContent = `The kernels cannot be loaded: ${message}`;
  else if (of === 'speed') {
    measuring(false);
    element('speed-answer').textContent = `Not measured: ${message}`;
  } else ranks.failed(message);
}

worker.onmessage = ({ data }: MessageEvent<Reply>) => {
  if (data.type === 'drawn') ranks.receive(data);
  else if (data.type === 'digit') digits.receive(data);
  else if (data.type === 'speed') showSpeed(data);
  else if (data.type === 'failed') showFailure(data);
  else {
    const { backend, isa, note } = data;
    const threads = data.threads === 1 ? note || 'one thread' : `${data.threads} threads`;
    element('engine').textContent =
      backend === 'wasm'
        ? `${COMPUTES.wasm}, ${isa}, ${threads}`
        : `${COMPUTES[backend]} computes, tens of times slower: ${note}`;
  }
};
worker.onerror = (event) => {
  const message = event.message || 'its worker does not start';
  broken = message;
  // Whatever waits for an answer gets none.
  for (const of of ['engine', 'study', 'digit'] as const) showFailure({ type: 'failed', of, message });
  if (compare.ariaDisabled === 'true') showFailure({ type: 'failed', of: 'speed', message });
};
ranks.start();
