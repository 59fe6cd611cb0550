import { dataUrl, html, type Markup } from './markup.ts';
import { type Colour, type Panel, panelSvg, type Swatch, swatchSvg } from './plot.ts';

/** What stands around a figure or a table: its words, its data, and the command that makes it. */
export interface Frame {
  readonly id: string;
  readonly caption: Markup | string;
  /** File name and content of the data. */
  readonly csv: readonly [name: string, text: string];
  readonly command: string;
}

/** A figure or table with caption, the data as CSV, and its command. */
export function framed({ id, caption, csv: [name, text], command }: Frame, content: Markup): Markup {
  return html`<figure id="${id}" aria-labelledby="${id}-caption">
${content}
<figcaption id="${id}-caption"><p>${caption}</p>
<p class="source"><a href="${dataUrl('text/csv', text)}" download="${name}">Data: ${name}</a> <code>${command.split(' ').map((word, n) => html`${n > 0 && ' '}<span>${word}</span>`)}</code></p></figcaption>
</figure>
`;
}

/** A part of the page under its heading. */
export function section(id: string, title: string, content: Markup): Markup {
  return html`<section aria-labelledby="${id}-h"><h2 id="${id}-h">${title}</h2>
${content}</section>`;
}

export type LegendEntry = readonly [colour: Colour, text: string, swatch: Swatch];

/** Plots side by side, as many as fit, under their legend. */
export function plots(panels: readonly Panel[], legend: readonly LegendEntry[] = []): Markup {
  const entries = legend.map(([colour, text, swatch]) => html`<li>${swatchSvg(swatch, colour)}${text}</li>`);
  return html`${entries.length > 0 && html`<ul class="legend" aria-label="Legend">${entries}</ul>`}
<div class="plots${panels.length % 4 === 0 || panels.length === 2 ? ' pairs' : ''}">${panels.map(panelSvg)}</div>`;
}

/** A table that scrolls by itself where it is too wide. */
export function table(
  label: string,
  head: readonly string[],
  rows: readonly (readonly (Markup | string | number)[])[],
): Markup {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([
      first,
      ...rest
    ]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/** Values as a line of CSV, quoted where they must be. */
function csvLine(values: readonly (string | number | boolean | null | undefined)[]): string {
  return values
    .map((value) => {
      const text = String(value ?? '');
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}

export const csvOf = (head: readonly string[], rows: readonly Parameters<typeof csvLine>[0][]): string =>
  [csvLine(head), ...rows.map(csvLine), ''].join('\n');
