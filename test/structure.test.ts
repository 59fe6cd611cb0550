import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The layers of src/, each with those that it may import besides itself. Arrows run down only; data/ and io/ know
 * nothing of backends and models.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  interface: ['core'],
  // What implementations share: the ABI, the checks in front of it, storages in the heap.
  implementing: ['interface', 'core'],
  implementations: ['implementing', 'interface', 'core'],
  select: ['implementations', 'implementing', 'interface', 'core'],
  features: ['interface', 'core'],
  contract: ['select', 'implementing', 'interface', 'core'],
  decompose: ['select', 'implementing', 'interface', 'core'],
  io: ['core'],
  data: ['io', 'core'],
  models: ['contract', 'features', 'select', 'implementing', 'interface', 'io', 'core'],
  train: ['models', 'features', 'data', 'select', 'implementing', 'interface', 'io', 'core'],
  // Constructions and predicted bounds; it never measures what it predicts.
  theory: ['models', 'decompose', 'contract', 'features', 'select', 'implementing', 'interface', 'core'],
  // What is measured: grids, ranks, exact ranks.
  analysis: ['models', 'contract', 'features', 'select', 'implementing', 'interface', 'core'],
  // Where predictions meet measurements.
  experiments: [
    ...['theory', 'analysis', 'train', 'models', 'decompose', 'contract', 'features'],
    ...['select', 'interface', 'data', 'io', 'core'],
  ],
  // Speed of the backends; bench/ puts peers beside them.
  bench: [
    'analysis',
    'decompose',
    'train',
    'models',
    'contract',
    'features',
    'select',
    'implementing',
    'interface',
    'data',
    'core',
  ],
  'index.common': [
    ...['experiments', 'analysis', 'theory', 'train', 'models', 'decompose', 'contract', 'features'],
    ...['select', 'interface', 'data', 'io', 'core'],
  ],
  'index.browser': ['index.common', 'select'],
  'index.inline': ['index.common', 'select'],
  index: ['index.common', 'experiments', 'train', 'models', 'select', 'data', 'io'],
  // Records to pages: strings only.
  report: ['experiments', 'models', 'core'],
  cli: [
    ...[
      'report',
      'experiments',
      'analysis',
      'theory',
      'train',
      'models',
      'decompose',
      'contract',
      'features',
    ],
    ...['bench', 'select', 'interface', 'data', 'io', 'core'],
  ],
};
const BACKEND_FILES: Readonly<Record<string, string>> = {
  interface: 'interface',
  probes: 'interface',
  native: 'implementations',
  wasm_files: 'implementations',
  wasm_pages: 'implementations',
  reference: 'implementations',
  select: 'select',
  selection: 'select',
  pages: 'select',
  'select.browser': 'select',
  'select.inline': 'select',
};
/** What needs Node, and so is not for pages: besides these the command line. */
const NODE_FILES = [
  ...[
    'backend/native',
    'backend/package_files',
    'backend/select',
    'backend/wasm_files',
    'index',
    'experiments/splice',
  ],
  ...['arrays', 'cifar10', 'csv', 'idx', 'imdb', 'mnist', 'packages', 'spam', 'splice'].map(
    (n) => `data/${n}`,
  ),
  ...['bench/machine', 'bench/own', 'bench/run'],
  ...[
    'io/atomic',
    'io/disk',
    'io/lines',
    'io/lock',
    'io/path',
    'io/temporary',
    'io/text',
    'models/disk',
    'train/checkpoint',
    'train/seal',
  ],
].map((name) => `src/${name}.ts`);
/** The packages of the command line; everything else gets along with what Node has. */
const CLI_PACKAGES = ['commander', 'cli-progress'];

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

function layerOf(file: string): string {
  const [, folder, name = ''] = file.replace(/(\.d)?\.ts$/, '').split('/');
  return folder === 'backend' ? (BACKEND_FILES[name] ?? 'implementing') : folder;
}

/** What a file imports or exports from, types included; relative ones as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]/g);
  const others = text.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g);
  return [...statements, ...others].map(([, from]) =>
    from.startsWith('.') ? normalize(join(dirname(file), from)) : from,
  );
}

const sources = filesIn('src').filter((file) => file.endsWith('.ts'));
const graph = new Map(sources.map((file) => [file, importsOf(file)]));
const isPath = (from: string) => from.startsWith('src/');

describe('arrows run down only', () => {
  it('every file is in a layer, and what it imports exists', () => {
    expect(sources.length).toBeGreaterThan(30);
    for (const [file, imports] of graph) {
      expect(Object.keys(LAYERS), file).toContain(layerOf(file));
      for (const from of imports.filter(isPath)) expect(sources, `imported by ${file}`).toContain(from);
    }
    // The pattern that finds imports finds those of every file that must have some.
    for (const file of sources.filter((name) => /select\.ts|model\.ts|main|fit/.test(name))) {
      expect(graph.get(file)?.length, file).toBeGreaterThan(2);
    }
  });

  it('the layers themselves have no cycle', () => {
    const order = Object.keys(LAYERS);
    for (const [layer, below] of Object.entries(LAYERS)) {
      for (const lower of below)
        expect(order.indexOf(lower), `${layer} → ${lower}`).toBeLessThan(order.indexOf(layer));
    }
  });

  it.each(sources)('%s', (file) => {
    const layer = layerOf(file);
    for (const from of graph.get(file)!.filter(isPath)) {
      const target = layerOf(from);
      if (target !== layer) expect(LAYERS[layer], `${file} imports ${from}`).toContain(target);
      // One implementation of a backend knows nothing of another, nor one command of another.
      else if (layer === 'implementations') expect(from).toBe(file);
    }
  });

  it('no file reaches itself', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, 'a cycle of imports').not.toContain(file);
      if (done.has(file)) return;
      for (const from of graph.get(file)!.filter(isPath)) visit(from, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(done.size).toBe(sources.length);
  });

  it('only the command line needs packages, and core nothing of Node', () => {
    for (const [file, imports] of graph) {
      for (const from of imports.filter((name) => !isPath(name))) {
        if (layerOf(file) === 'core') expect(from, file).toBe('a file of src/core');
        else if (!from.startsWith('node:')) {
          expect(layerOf(file), `${file} imports ${from}`).toBe('cli');
          expect(CLI_PACKAGES).toContain(from);
        }
      }
    }
  });
});

it('every file of TypeScript has its words between underscores', () => {
  const files = ['src', 'test', 'web', 'bench'].flatMap(filesIn).filter((file) => /(?<!\.d)\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(300);
  for (const file of files.filter((name) => !name.includes('node_modules')))
    expect(file.split('/').at(-1)).toMatch(/^[a-z0-9_]+(\.[a-z0-9_]+)*\.ts$/);
});

describe('Node', () => {
  it('is needed by files that are listed, and by what imports them', () => {
    for (const [file, imports] of graph) {
      if (NODE_FILES.includes(file) || layerOf(file) === 'cli') continue;
      for (const from of imports) {
        expect(from, file).not.toMatch(/^node:/);
        // The bundle for browsers has another file in the place of this one.
        if (from !== 'src/backend/select.ts') expect(NODE_FILES, `imported by ${file}`).not.toContain(from);
      }
      expect(readFileSync(file, 'utf8'), file).not.toMatch(/\b(Buffer\.|process\.)/);
    }
  });

  it('has nothing in its entry that browsers could have: that belongs into index.common.ts', () => {
    const own = graph.get('src/index.ts')!.filter((from) => from !== 'src/index.common.ts');
    expect(NODE_FILES).toEqual(expect.arrayContaining(own));
  });
});

describe('native/', () => {
  it('knows Node in addon.cc only, and nothing of wasm/ or src/', () => {
    for (const file of filesIn('native')) {
      const includes = [...readFileSync(file, 'utf8').matchAll(/^#include\s+[<"]([^>"]+)[>"]/gm)].map(
        ([, name]) => name,
      );
      if (!file.endsWith('addon.cc')) expect(includes.join(' '), file).not.toMatch(/node|napi|v8/);
      for (const name of includes) expect(name, file).not.toMatch(/src\/|wasm\/|\.\.\/\.\./);
    }
  });
});

it.each([...sources, ...filesIn('native')])('%s has at most 400 lines', (file) => {
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThanOrEqual(400);
});
