import type { ModelConfig } from './config.ts';
import { coreName } from './tt.ts';

/** Columns of the drawing; longer networks show their first and last steps. */
const SHOWN = 4;

/**
 * Draws a network with its ranks: inputs above, projections and cores below, the hidden state from left to right.
 */
export function drawTensorTrain(config: ModelConfig, parameterCount: number): string {
  const { steps, inputs, outputs, projection: L, features, rank, shared, xi, dtype } = config;
  const all = Array.from({ length: steps }, (_, t) => t);
  const shown = steps <= SHOWN + 1 ? all : [...all.slice(0, SHOWN - 1), -1, steps - 1];
  const bounds = [1, ...rank, outputs];
  const core = (t: number) => (shared ? coreName(config, t) : String(t));
  const cells = shown.map((t) =>
    t < 0
      ? { input: '', wire: '', features: '', projection: '', core: '…', rank: String(bounds[steps - 1]) }
      : {
          input: `x.${t}`,
          wire: '│',
          features: `f ${features.size}`,
          projection: `C.${core(t)} ${L}`,
          core: `G.${core(t)}`,
          rank: String(bounds[t + 1]),
        },
  );
  const width = Math.max(...cells.map((cell) => Math.max(cell.projection.length, cell.core.length))) + 1;
  const gap = Math.max(...bounds.map((r) => String(r).length)) + 4;
  const centre = (text: string, size: number) => {
    const left = Math.floor((size - text.length) / 2);
    return ' '.repeat(Math.max(0, left)) + text + ' '.repeat(Math.max(0, size - text.length - left));
  };
  const row = (key: 'input' | 'wire' | 'features' | 'projection') =>
    `      ${cells.map((cell) => centre(cell[key], width)).join(' '.repeat(gap))}`.trimEnd();
  const dashes = (text: string, size: number) => {
    const left = Math.floor((size - text.length) / 2);
    return '─'.repeat(left) + text + '─'.repeat(size - text.length - left);
  };
  const train = cells.map((cell, n) => {
    const body = cell.core === '…' ? dashes('…', width) : dashes(`[${cell.core}]`.slice(0, width + 2), width);
    const last = n === cells.length - 1;
    return body + (last ? `── ${outputs}` : dashes(` ${cell.rank} `, gap));
  });
  return [
    `tt · ξ = ${xi} · ${steps} ${steps === 1 ? 'step' : 'steps'} of ${inputs} inputs · ${outputs} outputs · ${shared ? 'one middle core · ' : ''}${dtype} · ` +
      `${parameterCount.toLocaleString('en-US')} parameters`,
    row('input'),
    row('wire'),
    row('features'),
    row('wire'),
    row('projection'),
    row('wire'),
    `  1 ──${train.join('')}`,
    `f(x) = ${features.activation}(A x + b) · h.t = Σ G.t[i,j,·] ξ((C.t f)[i], h.t−1[j])`,
  ].join('\n');
}
