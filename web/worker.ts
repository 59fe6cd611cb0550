import type { Backend } from '../src/backend/interface.ts';
import { openBackend, probeBackend } from '../src/backend/select.browser.ts';
import { nextTurn } from '../src/core/turns.ts';
import { cutPatches } from '../src/data/patches.ts';
import { decodeModel } from '../src/models/files.ts';
import type { Model } from '../src/models/model.ts';
import type { Choice } from './choice.ts';
import type { Reply, Request } from './messages.ts';
import { compareSpeeds } from './speed.ts';
import { drawNetwork } from './study.ts';

const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: Request }) => void;
  postMessage(reply: Reply): void;
};
const MODEL = new URL('../model/mnist.safetensors', import.meta.url);
/** Networks that are drawn between two replies take about that long. */
const REPLY_MS = 50;

const opened = openBackend();
let running = 0;
let model: Promise<Model> | undefined;

async function study(backend: Backend, id: number, choice: Choice): Promise<void> {
  running = id;
  let ranks: number[] = [];
  let since = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < choice.networks && running === id; index++) {
    const last = drawNetwork(backend, choice, index);
    ranks.push(last.rank);
    const done = index + 1;
    if (done < choice.networks && performance.now() - since < REPLY_MS) continue;
    scope.postMessage({ type: 'drawn', id, done, ranks, last });
    ranks = [];
    // Messages, stop among them, come in here.
    await nextTurn();
    since = performance.now();
  }
}

async function loadModel(backend: Backend): Promise<Model> {
  const response = await fetch(MODEL);
  if (!response.ok) throw new Error(`the model cannot be fetched: ${response.status} ${response.statusText}`);
  return decodeModel(await response.arrayBuffer(), { backend, where: MODEL.pathname });
}

async function digit(backend: Backend, id: number, pixels: Float32Array): Promise<void> {
  model ??= loadModel(backend);
  model.catch(() => {
    model = undefined;
  });
  const trained = await model;
  const { steps, inputs } = trained.config;
  const bytes = Uint8Array.from(pixels, (value) => Math.round(255 * value));
  const data = cutPatches(bytes, { count: 1, height: 28, width: 28, patch: Math.sqrt(inputs) });
  const states = trained.states({ dtype: 'float32', shape: [1, steps, inputs], data });
  const arrays = states.map((state) => state.data as Float32Array);
  scope.postMessage({ type: 'digit', id, scores: arrays[steps - 1], states: arrays.slice(0, -1) });
}

async function answer(request: Request): Promise<void> {
  const backend = await opened;
  if (request.type === 'study') await study(backend, request.id, request.choice);
  else if (request.type === 'digit') await digit(backend, request.id, request.pixels);
  else if (request.type === 'speed')
    scope.postMessage({ type: 'speed', ...compareSpeeds(backend, request.xi) });
  else running = 0;
}

const fail = (of: Request['type'] | 'engine', cause: unknown) =>
  scope.postMessage({ type: 'failed', of, message: cause instanceof Error ? cause.message : String(cause) });

scope.onmessage = ({ data }) => {
  answer(data).catch((cause) => fail(data.type, cause));
};
opened.then(
  ({ name: backend, isa, threads }) => {
    const probe = probeBackend('wasm');
    const note = probe.usable ? (probe.note ?? '') : probe.reason;
    scope.postMessage({ type: 'engine', backend, isa, threads, note });
  },
  (cause) => fail('engine', cause),
);
