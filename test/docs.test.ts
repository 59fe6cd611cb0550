import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/cli/commands.ts';
import * as xitensor from '../src/index.ts';
import { saveModel } from '../src/models/disk.ts';
import { createModel } from '../src/models/model.ts';
import { type Block, blocksFor, commandsOf, nextTo, PAGES } from './support/docs.ts';
import { run, temporaryFolder } from './support/processes.ts';

const GUIDE = readdirSync('docs').filter((name) => name.endsWith('.md'));

describe('every example in JavaScript prints what it says', () => {
  let folder: string;
  beforeAll(async () => {
    folder = temporaryFolder();
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules/xitensor'));
    // What a server has, for examples that are written for pages.
    const features = { size: 3 };
    const model = createModel({ kind: 'tt', xi: 'max', steps: 3, inputs: 4, outputs: 2, rank: 2, features });
    await saveModel(model, join(folder, 'model.safetensors'));
    writeFileSync(
      join(folder, 'fetch.mjs'),
      `import { readFileSync } from 'node:fs';
globalThis.fetch = async (address) => {
  const file = String(address).startsWith('/') ? new URL('.' + address, import.meta.url) : new URL(address);
  const type = file.pathname.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream';
  return new Response(readFileSync(file), { headers: { 'Content-Type': type } });
};`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const examples = blocksFor('examples').map((block) => ({ ...block, promised: promisedBy(block) }));

  it('there are some on most pages of the guide', () => {
    expect(new Set(examples.map(({ page }) => page)).size).toBeGreaterThan(8);
  });

  it.each(examples)('$page, example $n', async ({ page, n, code, promised }) => {
    const name = `${page.replace(/\W/g, '-')}-${n}.mjs`;
    writeFileSync(join(folder, name), code);
    // An example for pages runs with their entry.
    const browser = /\bfetch\(/.test(code) ? ['--conditions=browser', '--import', './fetch.mjs'] : [];
    const { code: status, stdout, stderr } = await run([...browser, name], { cwd: folder });
    expect(status, stderr).toBe(0);
    expect(stdout.trim()).toBe(promised);
    expect(promised, 'an example shows something').not.toBe('');
  });
});

/** What stands behind each `console.log(…); //`; or the block behind it, such as a plan. */
function promisedBy(block: Block): string {
  const lines = [...block.code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, line]) => line);
  if (lines.length > 0) return lines.join('\n');
  return (
    blocksFor('output of examples')
      .find((printed) => printed === nextTo(block))
      ?.code.trim() ?? ''
  );
}

describe('every command in the documentation is one', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const commands = blocksFor('commands').flatMap(({ page, code }) =>
    commandsOf(code).map((words) => ({ page, line: words.join(' '), words })),
  );

  it('and so is every command in the text, with scripts of npm that there are', async () => {
    const text = PAGES.map((page) => readFileSync(page, 'utf8')).join('\n');
    // Capitals stand for a number.
    const inline = [...text.matchAll(/`(?:npx )?xitensor (\w[^`<…]*)`/g)].map(([, words]) =>
      words.split(' ').map((word) => word.replace(/^[A-Z]+$/, '1')),
    );
    expect(inline.length).toBeGreaterThan(8);
    // What is said of a command need not have its arguments; its name and options must be right.
    for (const words of inline)
      await parses(words).catch((error) => expect(error.code, words.join(' ')).toMatch(/missing/i));
    const named = [...text.matchAll(/npm run ([\w-]+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(10);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it('and every command that there is is in the README', () => {
    const names = COMMANDS.map((command) => command().name());
    const shown = commands.filter(({ page }) => page === 'README.md').map(({ words }) => words);
    for (const name of names)
      expect(
        shown.some(([npx, xi, word]) => npx === 'npx' && xi === 'xitensor' && word === name),
        name,
      ).toBe(true);
  });

  it.each(commands)('$page: $line', async ({ words }) => {
    const [program, ...rest] = words[0] === 'npx' ? words.slice(1) : words;
    if (program === 'xitensor') return parses(rest);
    if (program === 'npm' && rest[0] === 'run') return expect(Object.keys(scripts)).toContain(rest[1]);
    if (program === 'npm') return expect(['test', 'install', 'ci']).toContain(rest[0]);
    throw new Error(`expected a command of npm or npx xitensor, found ${words.join(' ')}`);
  });

  it.each(
    [['train', '--epoch', '3'], ['trian'], ['score'], ['train', '--xi', 'plus']].map((words) => ({ words })),
  )('but $words is none', async ({ words }) => {
    await expect(parses(words)).rejects.toThrow();
  });

  it.each(COMMANDS.map((make) => ({ name: make().name(), make })))(
    '$name --help has examples, which are commands',
    async ({ name, make }) => {
      let help = '';
      make()
        .configureOutput({ writeOut: (text) => (help += text) })
        .outputHelp();
      const lines = commandsOf(/\nExamples:\n([\s\S]+)$/.exec(help)?.[1] ?? '');
      expect(lines.length).toBeGreaterThan(0);
      for (const words of lines) {
        const [program, command, ...rest] = words.filter((word) => !/^XITENSOR_\w+=/.test(word));
        expect([program, command]).toEqual(['xitensor', name]);
        await parses([command, ...rest.slice(0, rest.indexOf('>') < 0 ? rest.length : rest.indexOf('>'))]);
      }
    },
  );
});

/** Parses the words of a command as the command line does, and does nothing else. */
async function parses([name, ...words]: readonly string[]): Promise<void> {
  const command = COMMANDS.map((make) => make()).find((made) => made.name() === name);
  if (!command) throw new Error(`there is no command ${name}`);
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action(() => {})
    .parseAsync(words, { from: 'user' });
}

it('every call in the tables for those who come from elsewhere is of an export', () => {
  const rows = readFileSync('docs/coming-from.md', 'utf8').match(/^\|.*\|$/gm) ?? [];
  const code = rows.flatMap(
    (row) =>
      row
        .split(' | ')
        .at(-1)!
        .match(/`[^`]+`/g) ?? [],
  );
  const calls = code.flatMap((text) => [...text.matchAll(/(?<![.\w])(\w+)\(/g)]);
  expect(calls.length).toBeGreaterThan(5);
  for (const [call, name] of calls) expect(Object.keys(xitensor), call).toContain(name);
  // The operands of outer are two arguments, as its signature has them.
  expect(code.join()).toContain('`outer(a, b, ');
});

describe('files that are named', () => {
  it.each(['CONTRIBUTING.md', 'docs/extending.md'])('%s names what is there', (page) => {
    const named = [
      ...readFileSync(page, 'utf8').matchAll(/`((?:native|src|scripts|test|wasm|bench|web)\/[\w./-]*)`/g),
    ];
    expect(named.length).toBeGreaterThan(8);
    for (const [, path] of named) expect(existsSync(path), path).toBe(true);
  });

  it('docs/extending.md names every list of operators that is not made from the table', () => {
    const page = readFileSync('docs/extending.md', 'utf8');
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?<!gen)\.ts$/.test(name),
    );
    const written = /Record<Xi,|satisfies readonly Xi\[\]|: readonly Xi\[\] =/;
    const lists = sources.filter((name) => written.test(readFileSync(join('src', name), 'utf8')));
    expect(lists.length).toBeGreaterThan(5);
    for (const name of lists) expect(page, name).toContain(`src/${name}`);
  });
});

describe('links', () => {
  it.each(PAGES)('%s: every file that it links is there', (page) => {
    const text = readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '');
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g))
      expect(existsSync(join(dirname(page), target)), target).toBe(true);
  });

  it('every chapter that is written by hand ends with the way on', () => {
    const index = readFileSync('docs/README.md', 'utf8');
    const chapters = [...index.matchAll(/^\d+\. \[[^\]]+\]\(([\w-]+\.md)\)/gm)].map(([, name]) => name);
    expect(chapters.length).toBeGreaterThan(10);
    for (const [n, name] of chapters.entries()) {
      const page = readFileSync(join('docs', name), 'utf8');
      if (page.startsWith('<!-- Made by')) continue;
      const last = page.trim().split('\n').at(-1);
      for (const to of ['README.md', ...chapters.slice(n + 1, n + 2)])
        expect(last, name).toContain(`](${to})`);
    }
  });

  it('docs/README.md leads to every page of the guide', () => {
    const index = readFileSync('docs/README.md', 'utf8');
    for (const name of GUIDE.filter((page) => page !== 'README.md')) expect(index).toContain(`](${name})`);
  });
});
