// Expands native/xi.def, native/abi.h and native/isas.def into the files that repeat them in another language. `--check` writes nothing
// and fails when a file is not what it would write.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const check = process.argv.includes('--check');

const stripComments = (text) => text.replace(/\/\/.*$/gm, '');

/** The rows of a macro table: NAME(cell, "cell", …) with nested parentheses. */
function rowsOf(text, macro) {
  const rows = [];
  const source = stripComments(text);
  for (let at = source.indexOf(`${macro}(`); at >= 0; at = source.indexOf(`${macro}(`, at)) {
    const cells = [''];
    let depth = 1;
    let quoted = false;
    for (at += macro.length + 1; depth > 0; at++) {
      const c = source[at];
      if (c === '"') quoted = !quoted;
      else if (!quoted && c === '(') depth++;
      else if (!quoted && c === ')') depth--;
      if (!quoted && depth === 1 && c === ',') cells.push('');
      else if (depth > 0 && c !== '"') cells[cells.length - 1] += c;
    }
    rows.push(cells.map((cell) => cell.trim().replace(/\s+/g, ' ')));
  }
  return rows;
}

/** The functions of abi.h: name, parameters, and whether only WebAssembly has them. */
function functionsOf(header) {
  const source = stripComments(header);
  const wasmOnly = source.indexOf('#if defined(__wasm__)', source.indexOf('XT_API const char*'));
  return [...source.matchAll(/^XT_API (\w+(?: \w+)*\*?) (xt_\w+)\(([^)]*)\);/gm)].map((match) => ({
    returns: match[1],
    name: match[2],
    wasmOnly: match.index > wasmOnly,
    parameters:
      match[3] === 'void'
        ? []
        : match[3].split(',').map((p) => /^(.*?)(\w+)$/.exec(p.trim().replace(/\s+/g, ' '))),
  }));
}

const xiText = read('native/xi.def');
const abiText = read('native/abi.h');
const rows = rowsOf(xiText, 'XI').map(([name, id, formula, unit, value, dx, dy, ties, tolerance, bound]) => ({
  name,
  id: Number(id),
  formula,
  unit,
  value,
  dx,
  dy,
  ties,
  tolerance: Number(tolerance),
  bound,
}));
const functions = functionsOf(abiText);
const abiVersion = /#define XT_ABI_VERSION (\d+)/.exec(abiText)[1];
const hash = createHash('sha256')
  .update(JSON.stringify(rows))
  .update(stripComments(abiText).replace(/\s+/g, ' '))
  .digest('hex')
  .slice(0, 16);

const banner = (comment, sources = 'native/xi.def and native/abi.h') =>
  `${comment} Made by scripts/generate.mjs from ${sources}. Do not edit.\n`;
const words = [
  ...new Set(rows.flatMap((row) => [row.value, row.dx, row.dy].join(' ').match(/[a-z_0-9]{2,}/g) ?? [])),
].sort();
const toTs = (expression) =>
  expression.replace(/\b\w+_\w+\b/g, (word) => word.replace(/_(\w)/g, (_, c) => c.toUpperCase()));
const unitTs = (unit) =>
  unit.replace('infinity', 'Number.POSITIVE_INFINITY').replace('-Number.POSITIVE', 'Number.NEGATIVE');

const xiTs = `${banner('//')}import {
${words.map((word) => `  ${toTs(word)},`).join('\n')}
} from './scalar.ts';

/** What a matricization rank says about the width of a shallow network with this ξ. */
export type BoundKind = ${[...new Set(rows.map((row) => `'${row.bound}'`))].join(' | ')};

/** One binary operator ξ: the row of the table, with its value and partial derivatives as functions of numbers. */
export interface XiRow {
  /** As options take it. */
  readonly name: Xi;
  /** As the C ABI takes it. */
  readonly id: number;
  /** The value in words of mathematics. */
  readonly formula: string;
  /** u with ξ(u, x) = x, or what comes nearest to it; folds start from it. */
  readonly unit: number;
  /** What the derivatives are where ξ has none. */
  readonly ties: string;
  /** Error of \`value\` in ε of the dtype, relative to max(1, |x|, |y|, |x·y|). */
  readonly tolerance: number;
  /** Which bound on the width holds. */
  readonly bound: BoundKind;
  /** ξ(x, y). */
  value(x: number, y: number): number;
  /** ∂ξ/∂x. */
  dx(x: number, y: number): number;
  /** ∂ξ/∂y. */
  dy(x: number, y: number): number;
}

/** Names of the operators, in the order of the table. */
export const XI_NAMES = [${rows.map((row) => `'${row.name}'`).join(', ')}] as const;
/** Name of an operator ξ; {@link XI} has its formula, unit and derivatives. */
export type Xi = (typeof XI_NAMES)[number];

/** The eight operators, by name. */
export const XI: Readonly<Record<Xi, XiRow>> = {
${rows
  .map(
    (row) => `  ${row.name}: {
    name: '${row.name}',
    id: ${row.id},
    formula: '${row.formula}',
    unit: ${unitTs(row.unit)},
    ties: '${row.ties}',
    tolerance: ${row.tolerance},
    bound: '${row.bound}',
    value: (${/\bx\b/.test(row.value) ? 'x' : '_x'}, y) => ${toTs(row.value)},
    dx: (${/\bx\b/.test(row.dx) ? 'x' : '_x'}${/\by\b/.test(row.dx) ? ', y' : ''}) => ${toTs(row.dx)},
    dy: (${/\bx\b/.test(row.dy) ? 'x' : '_x'}${/\by\b/.test(row.dy) ? ', y' : ''}) => ${toTs(row.dy)},
  },`,
  )
  .join('\n')}
};
`;

/** An enum of abi.h as an object from lower-case words to ids. */
function enumTs(name) {
  const body = new RegExp(`enum xt_${name} \\{([^}]*)\\}`).exec(stripComments(abiText))[1];
  const ids = [...body.matchAll(/XT_(\w+) = (\d+)/g)].map(([, word, id]) => `${word.toLowerCase()}: ${id}`);
  return `export const ${name.toUpperCase()}_ID = { ${ids.join(', ')} } as const;`;
}

/** A limit of abi.h: `#define XT_NAME number  // what of`. */
const limits = [...abiText.matchAll(/^#define XT_((?:MAX_|POPULATED_)\w+) (\d+) +\/\/ (.+)$/gm)].map(
  ([, name, value, what]) =>
    `/** ${what[0].toUpperCase()}${what.slice(1)}. */\nexport const ${name} = ${value};`,
);

const tsType = (type) => (type.includes('int32_t*') ? 'Words' : type.includes('*') ? 'Pointer' : 'number');
const isas = [...stripComments(read('native/isas.def')).matchAll(/^(?:ISA|BF16)\((\w+),/gm)].map(
  ([, name]) => `'${name}'`,
);
const abiTs = `${banner('//', 'native/xi.def, native/abi.h and native/isas.def')}
/** A binary that says otherwise was built from other sources, and is refused. */
export const ABI_VERSION = ${abiVersion};
export const TABLE_HASH = '${hash}';

/** The functions of native/abi.h; \`Pointer\` and \`Words\` are typed arrays for the addon, addresses for WebAssembly. */
export interface Abi<Pointer, Words> {
${functions
  .filter((f) => !f.wasmOnly && f.returns === 'int32_t')
  .map(
    (f) =>
      `  ${f.name}(${f.parameters.map(([, type, name]) => `${name.replace(/_(\w)/g, (_, c) => c.toUpperCase())}: ${tsType(type)}`).join(', ')}): number;`,
  )
  .join('\n')}
}

${['status', 'dtype', 'reduce', 'precision', 'activation', 'loss'].map(enumTs).join('\n')}

${limits.join('\n')}

/** The instruction sets of the binaries for all processors and engines. */
export const BINARY_ISAS = [${isas.join(', ')}] as const;
`;

const xiMd = `<!-- ${banner('').trim()} -->
# The operators ξ

| ξ | id | ξ(x, y) | unit | ∂ξ/∂x | ∂ξ/∂y | at ties | error, ε | bound |
|---|---|---|---|---|---|---|---|---|
${rows
  .map(
    (r) =>
      `| \`${r.name}\` | ${r.id} | ${r.formula.replaceAll('|', '\\|')} | ${r.unit.replace('infinity', '∞')} | \`${r.dx}\` | \`${r.dy}\` | ${r.ties} | ${r.tolerance} | ${r.bound} |`,
  )
  .join('\n')}

\`wins(x, y)\` is 1 where x ≥ y, \`beats(x, y)\` 1 where x > y, else 0. \`logaddexp_weight(x, y)\` is 1 / (1 + e^(y − x)), ½ where both are one
infinity; \`hypot_weight(x, y)\` is x / √(x² + y²), 0 at the origin; neither overflows on the way. A NaN operand makes the value NaN; a gradient with respect to
NaN is not specified. \`max\` and \`min\` return x when x = y, which settles the sign of a zero, and do so on every backend.

A fold over several operands starts from the unit, so that a single rectifier operand is max(z, 0) and a single l2 operand |z|.

What the matricization rank of a grid tensor over M templates and T steps says about the width of a shallow network (k = ⌊T/2⌋):
**rank**: width ≥ rank. **pieces**: width ≥ ⌈rank / (k(M−1)+1)⌉. **additive**: representable only if rank ≤ 2. **none**: width ≥ 1 only; a single
term may already have full rank.

---

[The guide](README.md) · before: [Contraction](contraction.md) · next: [Networks](models.md)
`;

const hashHeader = `${banner('//')}#pragma once\n#define XT_TABLE_HASH "${hash}"\n`;

const outputs = {
  'src/core/xi.gen.ts': xiTs,
  'src/core/abi.gen.ts': abiTs,
  'native/table_hash.gen.h': hashHeader,
  'docs/xi.md': xiMd,
};
let drifted = 0;
for (const [path, text] of Object.entries(outputs)) {
  let present = '';
  try {
    present = read(path);
  } catch {
    // not there yet
  }
  if (present === text) continue;
  drifted++;
  if (check) console.error(`${path} is not what scripts/generate.mjs makes of native/; run npm run generate`);
  else writeFileSync(new URL(path, root), text);
}
console.log(
  check
    ? `${Object.keys(outputs).length - drifted} of ${Object.keys(outputs).length} generated files are current`
    : `${drifted} ${drifted === 1 ? 'file' : 'files'} written`,
);
process.exitCode = check && drifted > 0 ? 1 : 0;
