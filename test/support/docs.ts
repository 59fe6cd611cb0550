import { readFileSync } from 'node:fs';

/** A block of code of a page: what is written behind its fence, and its lines. */
export interface Block {
  readonly language: string;
  readonly code: string;
}

export const blocksOf = (page: string): Block[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language, code]) => ({
    language,
    code,
  }));

/** The words of each command of a block for a shell: without comments, continued lines joined, quotes taken off. */
export function commandsOf(code: string): string[][] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .map((line) =>
      (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^(['"])(.*)\1$/, '$2')),
    );
}
