import { readdirSync, readFileSync } from 'node:fs';

/** A block of code of a page: what is written behind its fence, its lines, and its place among the blocks of the page. */
export interface Block {
  readonly page: string;
  readonly n: number;
  readonly language: string;
  readonly code: string;
}

/** Every page that people read before they run something. */
export const PAGES: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md', 'data/README.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
    .sort()
    .map((name) => `docs/${name}`),
];

export const blocksOf = (page: string): Block[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, code], n) => ({
    page,
    n,
    language,
    code,
  }));

export const BLOCKS: readonly Block[] = PAGES.flatMap(blocksOf);

/** The block behind another one of its page. */
export const nextTo = ({ page, n }: Block): Block | undefined =>
  BLOCKS.find((block) => block.page === page && block.n === n + 1);

const before = ({ page, n }: Block): Block | undefined =>
  BLOCKS.find((block) => block.page === page && block.n === n - 1);

const isPrinted = (block: Block, by: string) => block.language === 'text' && before(block)?.language === by;

/** Who checks which blocks: test/docs/fences.test.ts fails for a block that nobody takes, or two. */
const CHECKS = {
  /** Run as a program in test/readme.test.ts. */
  'examples of the README': ({ page, language }: Block) => page === 'README.md' && language === 'js',
  /** Run as programs in test/docs.test.ts, and what they print compared with the page. */
  examples: ({ page, language }: Block) => page !== 'README.md' && language === 'js',
  'output of examples': (block: Block) => isPrinted(block, 'js'),
  /** Run in test/docs/commands.test.ts, in the order of the page. */
  commands: ({ language }: Block) => language === 'sh',
  'output of commands': (block: Block) => isPrinted(block, 'sh'),
  /** Run by Python in test/docs/python.test.ts. */
  python: ({ language }: Block) => language === 'python',
  /** What String(model) draws: test/docs/drawings.test.ts. */
  drawings: ({ language, code }: Block) => language === '' && /^(cp|tt|ht) · ξ = /.test(code),
  /** The layers of the README against the folders: test/docs/drawings.test.ts. */
  layers: ({ page, language, code }: Block) =>
    page === 'README.md' && language === '' && code.startsWith('cli '),
  /** Headers that a page is served with: test/docs/drawings.test.ts. */
  headers: ({ language }: Block) => language === 'http',
  /** A row of xi.def, put into a copy of the sources and compiled: test/docs/operator.test.ts. */
  operator: ({ page, language }: Block) => page === 'docs/extending.md' && language === 'cpp',
} as const;

export type Check = keyof typeof CHECKS;

/** The checks that take a block. */
export const checksOf = (block: Block): Check[] =>
  (Object.keys(CHECKS) as Check[]).filter((name) => CHECKS[name](block));

export const CHECK_NAMES = Object.keys(CHECKS) as readonly Check[];

/** The blocks that are for one check. */
export const blocksFor = (check: Check): Block[] => BLOCKS.filter(CHECKS[check]);

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
