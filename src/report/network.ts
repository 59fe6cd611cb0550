import type { PerformanceRun } from '../experiments/performance.ts';
import { html, type Markup } from './markup.ts';
import { KINDS } from './words.ts';

const STEPS = 4;
const column = (t: number) => 60 + 80 * t;

/** A network of four steps with the ranks of a run: what it looks like, not how long it is. */
export function networkSvg({ kind, rank, features, xi }: PerformanceRun, outputs: number): Markup {
  const { name, colour } = KINDS[kind];
  const id = `network-${kind}`;
  const leaves = Array.from({ length: STEPS }, (_, t) => t);
  const drawing = { tt: recurrent, ht: tree, cp: shallow }[kind](rank, outputs);
  return html`<svg class="plot c${colour}" viewBox="0 0 360 240" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${name}</title><desc id="${id}-d">${descriptions(rank, features, outputs)[kind]}</desc>
<text class="title" x="8" y="18">${name}, R = ${rank}, ξ = ${xi}</text>
${leaves.map((t) => html`<path class="wire" d="M${column(t)} 56V80"/><text class="middle" x="${column(t)}" y="50">x${'₁₂₃₄'[t]}</text><text x="${column(t) + 5}" y="74">${features}</text>`)}
${drawing}</svg>`;
}

const descriptions = (rank: number, features: number, outputs: number) => ({
  tt: `A chain of cores from left to right, each taking ${features} features of one step and a hidden state of ${rank}, the last giving ${outputs} scores.`,
  ht: `A binary tree over the steps: leaves take ${features} features each, inner nodes join two children of rank ${rank}, the root gives ${outputs} scores.`,
  cp: `One layer: every step has ${rank} units over ${features} features, all steps are joined at once, and ${rank} terms are summed to ${outputs} scores.`,
});

const box = (x: number, y: number, label: string) =>
  html`<rect class="node" x="${x - 20}" y="${y - 13}" width="40" height="26" rx="6"/><text class="strong middle" x="${x}" y="${y + 4}">${label}</text>`;
const wire = (path: string) => html`<path class="wire" d="${path}"/>`;
const label = (x: number, y: number, text: string | number) =>
  html`<text class="middle halo" x="${x}" y="${y}">${text}</text>`;

function recurrent(rank: number, outputs: number): Markup {
  const core = (t: number) => 'G' + '₁₂₃₄'[t];
  const all = Array.from({ length: STEPS }, (_, t) => t);
  return html`${all.map((t) => html`${wire(`M${column(t)} 80V150`)}${wire(`M${column(t) + 20} 163H${column(t) + (t < STEPS - 1 ? 60 : 36)}`)}`)}
${wire('M14 163H40')}${label(22, 156, 1)}
${all.map((t) => html`${box(column(t), 93, 'C' + '₁₂₃₄'[t])}${box(column(t), 163, core(t))}${label(column(t) + (t < STEPS - 1 ? 40 : 36), 156, t < STEPS - 1 ? rank : outputs)}`)}
${label(180, 206, 'hₜ = Σ Gₜ ξ(Cₜ f(xₜ), hₜ₋₁)')}`;
}

function tree(rank: number, outputs: number): Markup {
  const all = Array.from({ length: STEPS }, (_, t) => t);
  return html`${all.map((t) => wire(`M${column(t)} 106L${column(t) + (t % 2 ? -40 : 40)} 138`))}
${[100, 260].map((x) => wire(`M${x} 160L${180 + (x < 180 ? -8 : 8)} 186`))}${wire('M180 205V226')}
${all.map((t) => box(column(t), 93, 'W' + '₁₂₃₄'[t]))}
${[100, 260].map((x, n) => box(x, 150, 'B' + '₁₂'[n]))}${box(180, 196, 'B')}
${all.map((t) => label(column(t) + (t % 2 ? -6 : 6), 130, rank))}${[118, 242].map((x) => label(x, 182, rank))}${label(192 + 4, 224, outputs)}`;
}

function shallow(rank: number, outputs: number): Markup {
  const all = Array.from({ length: STEPS }, (_, t) => t);
  return html`${all.map((t) => wire(`M${column(t)} 106L180 156`))}${wire('M180 170V226')}
${all.map((t) => box(column(t), 93, 'v' + '₁₂₃₄'[t]))}${all.map((t) => label(column(t) + (t < 2 ? 6 : -6), 126, rank))}
${box(180, 158, 'ξ')}${box(180, 200, 'λ')}${label(200, 184, rank)}${label(196, 226, outputs)}`;
}
