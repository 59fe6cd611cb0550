import { counted } from '../core/counted.ts';
import type { CpConfig, ModelConfig, TtConfig } from './config.ts';
import { drawTree } from './draw_tree.ts';
import { coreName } from './tt.ts';

/** Columns of the drawing; longer networks show their first and last steps. */
const SHOWN = 4;

/** Draws a network with its ranks and the number of its parameters, in at most 120 columns. */
export function drawNetwork(config: ModelConfig, parameterCount: number): string {
  return [heading(config, parameterCount), ...body(config)].join('\n');
}

function body(config: ModelConfig): string[] {
  const f = `f(x) = ${config.features.activation}(A x + b)`;
  switch (config.kind) {
    case 'cp':
      return [...drawPolyadic(config), `${f} · score = Σ_r lambda[r,·] ξ_t ⟨v[t,r,·], f(x.t)⟩`];
    case 'tt':
      return [...drawTrain(config), `${f} · h.t = Σ G.t[i,j,·] ξ((C.t f)[i], h.t−1[j])`];
    case 'ht': {
      const node = config.diagonal ? 'Σ B[a,·] ξ(left[a], right[a])' : 'Σ B[a,b,·] ξ(left[a], right[b])';
      return [...drawTree(config), `${f} · leaf = W f(x) · node = ${node}`];
    }
  }
}

const SHARED = { cp: 'one v', tt: 'one middle core', ht: 'shared' };

function heading(config: ModelConfig, parameterCount: number): string {
  const { kind, xi, steps, inputs, outputs, shared, diagonal, dtype } = config;
  return [
    kind,
    `ξ = ${xi}`,
    `${counted(steps, 'step')} of ${counted(inputs, 'input')}`,
    counted(outputs, 'output'),
    ...(diagonal ? ['diagonal'] : []),
    ...(shared ? [SHARED[kind]] : []),
    dtype,
    counted(parameterCount, 'parameter', parameterCount.toLocaleString('en-US')),
  ].join(' · ');
}

/** One step of a chain: what stands above each other in its column, and its link of the chain. */
interface Column {
  readonly above: readonly string[];
  readonly link: string;
}

/** Draws steps beside each other, linked by a chain; `join` is what stands between column n and the next. */
function drawChain(
  columns: readonly Column[],
  gap: number,
  start: string,
  join: (n: number) => string,
  end: string,
): string[] {
  const texts = columns.flatMap(({ above, link }) => [link, ...above]);
  const width = Math.max(...texts.map((text) => text.length)) + 1;
  const rows = columns[0].above.map((_, row) =>
    columns.map(({ above }) => pad(above[row], width, ' ')).join(' '.repeat(gap)),
  );
  const links = columns.map(({ link }, n) => {
    const last = n === columns.length - 1;
    return pad(link, width, '─') + (last ? '' : pad(join(n), gap, '─'));
  });
  return [
    ...rows.map((row) => ' '.repeat(start.length) + row).map((row) => row.trimEnd()),
    start + links.join('') + end,
  ];
}

function pad(text: string, width: number, filler: string): string {
  const left = Math.floor((width - text.length) / 2);
  return filler.repeat(Math.max(0, left)) + text + filler.repeat(Math.max(0, width - text.length - left));
}

/** The steps that are shown; −1 stands for those left out. */
function shownSteps(steps: number): number[] {
  const all = Array.from({ length: steps }, (_, t) => t);
  return steps <= SHOWN + 1 ? all : [...all.slice(0, SHOWN - 1), -1, steps - 1];
}

/** Inputs above, projections and cores below, the hidden state from left to right. */
function drawTrain(config: TtConfig): string[] {
  const { steps, outputs, projection, features, rank } = config;
  const bounds = [1, ...rank, outputs];
  const shown = shownSteps(steps);
  const columns = shown.map((t): Column => {
    if (t < 0) return { above: ['', '', '', '', '', ''], link: '…' };
    const core = coreName(config, t);
    const above = [`x.${t}`, '│', `f ${features.size}`, '│', `C.${core} ${projection}`, '│'];
    return { above, link: `[G.${core}]` };
  });
  const gap = Math.max(...bounds.map((r) => String(r).length)) + 4;
  const after = (t: number) => ` ${bounds[t < 0 ? steps - 1 : t + 1]} `;
  return drawChain(columns, gap, '  1 ──', (n) => after(shown[n]), `── ${outputs}`);
}

/** Inputs above, the projections of all steps below, joined by ξ and then weighed. */
function drawPolyadic({ steps, outputs, features, rank, shared }: CpConfig): string[] {
  const columns = shownSteps(steps).map((t): Column => {
    if (t < 0) return { above: ['', '', '', ''], link: '…' };
    return { above: [`x.${t}`, '│', `f ${features.size}`, '│'], link: shared ? '[v]' : `[v.${t}]` };
  });
  return drawChain(columns, 5, '  ', () => ' ξ ', `── ${rank[0]} ──[lambda]── ${outputs}`);
}
